"""The queue's settings: nothing connects early, and it follows the database Django uses."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from huey import PostgresHuey
from huey.contrib.djhuey import HUEY

from purge.queue import create_tables, queue


def storage_of(setting: dict[str, Any]) -> Any:
    """What Huey makes of the setting, as its Django app does."""
    ours = {key: setting[key] for key in ("immediate", "results", "utc")}
    return PostgresHuey(setting["name"], **ours, **setting["connection"]).storage


def test_making_it_connects_to_nothing() -> None:
    assert storage_of(queue(database="no such alias")).blocking


def test_tasks_run_in_the_consumer_and_leave_no_results() -> None:
    assert not HUEY.immediate
    assert not HUEY.results
    assert HUEY.utc


def test_redis_takes_its_place() -> None:
    setting = queue(redis_url="redis://h:1/2")
    assert setting["huey_class"] == "huey.RedisHuey"
    assert setting["connection"] == {"url": "redis://h:1/2"}


@pytest.mark.django_db
def test_a_second_migrate_finds_the_tables_there() -> None:
    create_tables()
    create_tables()
    assert "huey_task" in connection.introspection.table_names()


@pytest.mark.django_db
def test_what_is_enqueued_is_in_the_test_database() -> None:
    storage = storage_of(queue())
    try:
        storage.enqueue(b"a task")
        with connection.cursor() as cursor:
            cursor.execute("SELECT data FROM huey_task")
            assert [bytes(row[0]) for row in cursor.fetchall()] == [b"a task"]
        assert storage.dequeue() == b"a task"
    finally:
        storage.flush_queue()
        storage.close()


@pytest.mark.django_db
def test_a_database_that_is_not_the_queues_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Callable[[int], Any]
) -> None:
    monkeypatch.setattr(HUEY.storage.connection, "alias", "another")
    with django_assert_num_queries(0):
        create_tables(using="default")
