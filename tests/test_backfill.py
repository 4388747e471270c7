"""Rows that were there before their policy."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from lifecycle.backfill import backfill
from lifecycle.models import AgendaEntry, Event
from purge.runner import run_due
from tests.zoo.factories import ExpiredPreferenceFactory, UnparsablePreferenceFactory
from tests.zoo.models import Coupon, Draft, Preference, Ticket, Token

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def _past_the_triggers() -> None:
    """Rows written as `pg_restore --disable-triggers` does."""
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        Token.objects.bulk_create([Token(expires_at=now - timedelta(days=1))] * 25)
        Token.objects.bulk_create([Token(expires_at=now + timedelta(days=1))] * 25)
        Token.objects.bulk_create([Token(expires_at=None)] * 5)
        Ticket.objects.bulk_create(
            [Ticket(expires_at=now - timedelta(days=1 + i)) for i in range(5)]
        )
        Coupon.objects.create(code="it's", expires_at=now - timedelta(days=1))
        cursor.execute("SET session_replication_role = origin")


@pytest.mark.usefixtures("_past_the_triggers")
def test_backfill_lists_what_the_triggers_did_not_see(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lifecycle.backfill.CHUNK", 10)
    assert run_due() == {}
    for policy in ("tokens", "tickets", "coupons"):
        call_command("lifecycle", "backfill", policy)
    run_due()
    assert (Token.objects.count(), Ticket.objects.count(), Coupon.objects.count()) == (30, 0, 0)
    assert sum(AgendaEntry.objects.values_list("count", flat=True)) == 25


def test_backfill_twice_ends_nothing_twice_and_nothing_early() -> None:
    Token.objects.bulk_create([Token(expires_at=timezone.now() + timedelta(hours=1))] * 3)
    Draft.objects.create(created_at=timezone.now() - timedelta(days=2))
    for policy in ("tokens", "drafts"):
        call_command("lifecycle", "backfill", policy)
        call_command("lifecycle", "backfill", policy)
    run_due()
    assert Token.objects.count() == 3
    assert Draft.objects.count() == 1
    assert Event.objects.filter(kind="purged").count() == 0


def test_a_row_on_which_the_expression_fails_stops_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("lifecycle.backfill.CHUNK", 2)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        unparsable = UnparsablePreferenceFactory()
        ExpiredPreferenceFactory.create_batch(4)
    assert list(backfill("preferences")) == [2, 4, 5]
    run_due()
    assert list(Preference.objects.all()) == [unparsable]
