"""`manage.py lifecycle backfill`, and what `purge` and `status` do and say of it."""

from datetime import timedelta

import pytest
from django.db import connection

from lifecycle.ledger import policy_states as states
from lifecycle.models import Backfill, Event
from tests.backfills import declare, listed, write
from tests.lifecycle.management.test_commands import fails, manage, status
from tests.zoo.models import Ticket, Token

pytestmark = pytest.mark.django_db(transaction=True)

DAY = timedelta(days=1)


def backfill(*options: str) -> str:
    return manage("lifecycle", "backfill", *options)


def test_reads_all_that_are_marked() -> None:
    write(Ticket, DAY, DAY)
    write(Token, DAY)
    declare("tickets")
    declare("tokens")
    assert backfill() == "tickets: 2 rows read, 2 listed.\ntokens: 1 rows read, 1 listed.\n"
    assert "No table is marked" in backfill()


def test_reads_one_again() -> None:
    write(Ticket, DAY)
    assert backfill("--policy", "tickets") == "tickets: 1 rows read, 1 listed.\n"
    assert backfill("--policy", "tickets") == "tickets: 1 rows read, 0 listed.\n"


@pytest.mark.parametrize(
    ("options", "answer"),
    [
        (["--policy", "tikets"], "Did you mean 'tickets'?"),
        (["--policy", "tickets", "--rate", "0"], "--rate must be 1 or more"),
        (["--database", "elsewhere"], "no database 'elsewhere'"),
    ],
)
def test_wrong_input_changes_nothing(options: list[str], answer: str) -> None:
    write(Ticket, DAY)
    before = list(Backfill.objects.order_by("policy").values())
    assert answer in fails("lifecycle", "backfill", *options)
    assert list(Backfill.objects.order_by("policy").values()) == before
    assert not Event.objects.filter(kind="expiry_scheduled").exists()


def test_is_refused_while_the_policy_is_paused() -> None:
    states.pause("tickets")
    assert "tickets is paused" in fails("lifecycle", "backfill", "--policy", "tickets")


def test_purge_reads_on() -> None:
    write(Ticket, -DAY, DAY)
    declare("tickets")
    assert "backfill" not in manage("purge", "--dry-run")
    assert listed("tickets") == 0
    assert "tickets: backfill, 2 of about 2 rows (100 %)" in manage("purge")
    assert listed("tickets") == 2
    assert Ticket.objects.count() == 2  # it observes


def test_an_error_of_one_keeps_purge_from_nothing() -> None:
    write(Ticket, -DAY)
    declare("tickets")
    token = Token.objects.create(expires_at=None)
    Token.objects.filter(pk=token.pk).update(expires_at="2020-01-01T00:00Z")
    rename = "ALTER TABLE zoo_ticket RENAME COLUMN {} TO {}"
    with connection.cursor() as cursor:
        cursor.execute(rename.format("expires_at", "gone"))
        try:
            manage("purge")
        finally:
            cursor.execute(rename.format("gone", "expires_at"))
    assert not Token.objects.exists()
    assert not Backfill.objects.get(policy="tickets").finished_at


def test_status_says_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    write(Ticket, *[DAY] * 4)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE zoo_ticket")
    declare("tickets")
    found = status("tickets")["backfill"]
    assert (found["read"], found["about"], found["percent"]) == (0, 4, 0)
    assert "tickets: backfill: 0 of about 4 rows (0 %) read" in manage("lifecycle", "status")
    backfill()
    assert status("tickets")["backfill"] is None
    assert "backfill" not in manage("lifecycle", "status")
