"""The queue's settings: nothing connects early, and it follows the database Django uses."""

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


@pytest.mark.django_db(transaction=True)
def test_what_is_enqueued_is_in_the_test_database() -> None:
    create_tables()
    create_tables()  # a second migrate finds them there
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
def test_no_tables_in_a_database_that_is_not_the_queues(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HUEY.storage.connection, "alias", "another")
    create_tables(using="default")
    assert "huey_task" not in connection.introspection.table_names()
