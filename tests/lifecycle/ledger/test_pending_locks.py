"""The pending list is a second table that writers lock: nobody is to meet them crosswise."""

from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from lifecycle.ledger import pending
from lifecycle.ledger.pending import move_pending
from lifecycle.models import AgendaEntry, Event
from purge.runner import run_due
from tests.support import Background, session, wait_until, waits_for
from tests.zoo.models import Token

pytestmark = pytest.mark.django_db(transaction=True)

LATER = timedelta(days=30)


def sql(text: str, *params: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(text, params or None)
        return cursor.fetchall() if cursor.description else []


def insert(other: psycopg.Connection[Any], days: int = 30) -> None:
    other.execute(
        "INSERT INTO zoo_token (label, active, expires_at)"
        " VALUES ('', true, now() + %s * interval '1 day')",
        [days],
    )


def rebuild() -> Any:
    return call_command("lifecycle", "rebuild", verbosity=0)


def test_two_serializable_writers_both_commit() -> None:
    ended = "SELECT lifecycle.ended_one_v1('zoo.token', ARRAY[%s]::bigint[], NULL, NULL, NULL, '')"
    with session() as one, session() as other:
        one.isolation_level = other.isolation_level = psycopg.IsolationLevel.SERIALIZABLE
        for key in range(10**9, 10**9 + 3):
            for each in (one, other):
                insert(each)
                insert(each, days=0)
                each.execute(ended, [key])
        one.commit()
        other.commit()
    assert AgendaEntry.objects.count() == 12
    assert Event.objects.filter(kind="deleted").count() == 6


@pytest.mark.parametrize("first", [30, 0])
def test_a_rebuild_and_a_writer_of_both_tables_both_end(first: int) -> None:
    """Whose entry is pending writes an event next, or the other way round."""
    with session() as writer:
        insert(writer, days=first)
        waiting = Background(rebuild)
        wait_until(lambda: waits_for(writer.info.backend_pid), "the rebuild")
        insert(writer, days=30 - first)
        writer.commit()
    waiting.result()
    assert AgendaEntry.objects.count() == 2


def test_a_mover_has_no_row_while_it_waits_for_a_rebuild() -> None:
    for _ in range(100):
        Token.objects.create(expires_at=timezone.now() + LATER)
    with session() as third:  # as a rebuild does, which then waits for rows
        third.execute("LOCK TABLE lifecycle_event IN SHARE ROW EXCLUSIVE MODE")
        mover = Background(lambda: move_pending("default"))
        wait_until(lambda: waits_for(third.info.backend_pid), "the mover")
        locks = "SELECT count(*) FROM pg_locks WHERE relation = 'lifecycle_pending'::regclass"
        asked = f"{locks} AND mode = 'RowShareLock' AND pid <> %s"
        assert sql(asked, third.info.backend_pid) == [(0,)], "it waits before it has a row"
        third.rollback()
    assert mover.result() == 100
    rebuild()
    assert sum(AgendaEntry.objects.values_list("count", flat=True)) == 100


def test_an_event_that_is_there_already_is_moved_once() -> None:
    """As put back out of the log beside it; another one of its number is not taken for it."""
    row = Token.objects.create(expires_at=timezone.now() + LATER)
    sql(
        "INSERT INTO lifecycle_event"
        " SELECT (here::lifecycle_event).* FROM lifecycle_pending AS here"
    )
    assert move_pending("default") == 1
    assert Event.objects.filter(kind="expiry_scheduled").count() == 1
    assert AgendaEntry.objects.count() == 1
    row.delete()


def test_a_mover_that_cannot_keeps_no_pass_from_what_is_due(monkeypatch: Any, caplog: Any) -> None:
    Token.objects.create(expires_at=timezone.now() + LATER)
    Token.objects.create(expires_at=timezone.now() - LATER)
    monkeypatch.setattr(pending, "statement", lambda *_: "SELECT 1 / 0 + %(most)s")
    assert run_due()["tokens"].purged == 1
    assert {each.action for each in caplog.records} >= {"pending_failed"}
    assert AgendaEntry.objects.count() == 1
