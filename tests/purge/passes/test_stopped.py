"""Statements that the server stops, as by a short `statement_timeout`: fewer rows at a time."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, OperationalError, connection
from django.db.models.signals import pre_delete
from django.utils import timezone

from lifecycle.backfill import chunk, progress
from lifecycle.db import pieces
from lifecycle.ledger import pending
from lifecycle.ledger.pending import move_pending
from lifecycle.models import AgendaEntry
from lifecycle.policy.registry import get_policy
from purge.batch import run as batches
from purge.passes.options import PassOptions
from purge.runner import run_due, run_policy
from purge.sources.windows import sweep
from purge.unlisted import list_unlisted
from tests.zoo.models import Token

pytestmark = pytest.mark.django_db(transaction=True)

MONTH = timedelta(days=30)
GATHER = """SELECT lifecycle.gather_pending_v1(CASE WHEN %(most)s > 100
    THEN (SELECT 1 FROM pg_sleep(9)) ELSE %(most)s END)"""
SLOW = """
CREATE FUNCTION zoo_slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF (SELECT count(*) FROM gone) > 10 THEN PERFORM pg_sleep(9); END IF; RETURN NULL; END $$;
CREATE TRIGGER zoo_slow AFTER DELETE ON zoo_token REFERENCING OLD TABLE AS gone
FOR EACH STATEMENT EXECUTE FUNCTION zoo_slow()"""


def sql(text: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(text)


@contextmanager
def timeout(milliseconds: int) -> Iterator[None]:
    """Of the session, as a role or database gives it to each."""
    sql(f"SET statement_timeout = {milliseconds}")
    try:
        yield
    finally:
        sql("RESET statement_timeout")


def tokens(number: int, due: timedelta) -> None:
    for _ in range(number):
        Token.objects.create(expires_at=timezone.now() + due)


def counts(caplog: pytest.LogCaptureFixture) -> list[int]:
    """How many rows come next, of each record that says so."""
    return [vars(each)["count"] for each in caplog.records if vars(each)["action"] == "stopped"]


@pytest.mark.parametrize("number", [30])
def test_what_is_pending_is_moved(
    number: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tokens(number, MONTH)
    monkeypatch.setattr(pending, "statement", lambda *_: GATHER)
    with timeout(300):
        assert move_pending("default") == number
        assert counts(caplog) == [1_000, 100]
        tokens(1, MONTH)
        assert move_pending("default") == 1
    assert counts(caplog) == [1_000, 100]
    assert pieces.most_of(pending.MOVING, "default", "", 10) == 10


def test_a_mover_that_may_not_move_one_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tokens(1, MONTH)
    monkeypatch.setattr(pending, "MOST", 10)
    monkeypatch.setattr(pending, "statement", lambda *_: "SELECT pg_sleep(%(most)s + 8)")
    with timeout(50):
        assert move_pending("default") == 0
    assert [vars(each)["action"] for each in caplog.records] == ["stopped", "pending_failed"]


def test_a_batch(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    tokens(25, -MONTH)
    monkeypatch.setattr(get_policy("tokens"), "batch_rows", 100)
    sql(SLOW)
    try:
        with timeout(500):
            assert run_due()["tokens"].purged == 25
    finally:
        sql("DROP FUNCTION zoo_slow CASCADE")
    assert counts(caplog) == [10]
    assert not Token.objects.exists()


def test_a_transaction_that_may_not_last(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    if connection.pg_version < 170_000:  # type: ignore[attr-defined]
        pytest.skip("PostgreSQL 17 is the first that has it")
    tokens(25, -MONTH)
    monkeypatch.setattr(get_policy("tokens"), "batch_rows", 100)
    sql(SLOW)
    monkeypatch.setitem(
        connection.settings_dict, "OPTIONS", {"options": "-c transaction_timeout=500"}
    )
    connection.close()
    try:
        assert run_due()["tokens"].purged == 25
    finally:
        monkeypatch.undo()
        connection.close()
        sql("DROP FUNCTION zoo_slow CASCADE")
    assert counts(caplog) == [10]


def test_receivers_of_the_site_that_take_longer_than_a_transaction_may_be_idle(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def receive(**given: Any) -> None:
        time.sleep(0.02)

    tokens(25, -MONTH)
    monkeypatch.setattr(get_policy("tokens"), "batch_rows", 100)
    limit = {"options": "-c idle_in_transaction_session_timeout=300"}
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", limit)
    connection.close()
    pre_delete.connect(receive, sender=Token)
    try:
        assert run_due()["tokens"].purged == 25
    finally:
        pre_delete.disconnect(receive, sender=Token)
        monkeypatch.undo()
        connection.close()
    assert counts(caplog)[0] == 10


def test_a_batch_that_cannot_begin_is_not_taken_for_one_that_waits_for_a_pause(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tokens(1, -MONTH)
    monkeypatch.setattr(batches, "statement", lambda *_: "SELECT pg_sleep(9)")
    monkeypatch.setattr(get_policy("tokens"), "batch_rows", 1)
    with timeout(50), pytest.raises(OperationalError, match="statement timeout"):
        run_policy(get_policy("tokens"), PassOptions())


def test_a_backfill(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    sql("ALTER TABLE zoo_token DISABLE TRIGGER USER")
    tokens(25, MONTH)
    sql("ALTER TABLE zoo_token ENABLE TRIGGER USER")
    listing = chunk.Lister.list

    def slowly(self: chunk.Lister, last: str | None, most: int) -> chunk.Found:
        if most > 10:
            sql("SET LOCAL statement_timeout = 1; SELECT pg_sleep(9)")
        return listing(self, last, most)

    monkeypatch.setattr(chunk.Lister, "list", slowly)
    monkeypatch.setattr(progress, "CHUNK", 1_000)
    progress.ask(get_policy("tokens"))
    steps: list[Any] = []
    while not (steps and steps[-1].finished):
        steps.append(progress.step(get_policy("tokens"), hurried=True))
    assert [each.rows for each in steps] == [0, 0, 10, 10, 5]
    assert counts(caplog) == [100, 10]
    assert sum(AgendaEntry.objects.values_list("count", flat=True)) == 25


def test_windows_that_cannot_be_listed_keep_no_other_policy_from_ending(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*args: Any, **others: Any) -> None:
        raise DatabaseError

    monkeypatch.setattr(sweep, "list_windows", fails)
    monkeypatch.setattr(sweep, "with_rows", lambda using, policies: policies)
    list_unlisted("default")
    assert "its windows cannot be listed" in caplog.text
