"""The queue's settings: nothing connects early, and it follows the database Django uses."""

import traceback
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from huey import PostgresHuey
from huey.contrib.djhuey import HUEY
from psycopg import OperationalError

from purge.queue import Connect, create_tables, queue


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
    assert setting["huey_class"] == "purge.signed_queue.RedisHuey"
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


def test_direct_address_takes_the_place_of_the_poolers(settings: Any) -> None:
    settings.LIFECYCLE_DIRECT_URL = "postgres://db.internal/site?connect_timeout=1"
    with pytest.raises(OperationalError, match=r"db\.internal") as told:
        Connect("default")()
    assert str(connection.settings_dict["HOST"]) not in str(told.value)


@pytest.mark.django_db
def test_direct_address_follows_a_test_runner(settings: Any) -> None:
    known = connection.settings_dict
    place = urlencode({"host": known["HOST"], "port": known["PORT"]}, quote_via=quote)
    settings.LIFECYCLE_DIRECT_URL = f"postgres:///not_there?{place}"
    with Connect("default")() as session:
        assert session.info.dbname == known["NAME"]
        assert session.info.user == known["USER"] or not known["USER"]


def test_wrong_direct_address_tells_no_password(settings: Any) -> None:
    settings.LIFECYCLE_DIRECT_URL = "postgres://site:secret@[db/site"
    with pytest.raises(ImproperlyConfigured, match=r"^LIFECYCLE_DIRECT_URL is no address") as told:
        Connect("default")()
    assert "secret" not in "".join(traceback.format_exception(told.value))


@pytest.mark.django_db
def test_a_database_that_is_not_the_queues_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Callable[[int], Any]
) -> None:
    monkeypatch.setattr(HUEY.storage.connection, "alias", "another")
    with django_assert_num_queries(0):
        create_tables(using="default")
