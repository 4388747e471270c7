"""Rows that are back on purpose."""

from datetime import timedelta

import pytest
from django.utils import timezone

import lifecycle
from lifecycle.exceptions import NoPolicy, RowMissing
from lifecycle.models import AgendaEntry, Event
from lifecycle.testing import capture_off
from purge.runner import run_due
from tests.support import kinds
from tests.zoo.models import Draft, Member, Picture, Token

pytestmark = pytest.mark.django_db(transaction=True)
HOUR = timedelta(hours=1)


def test_rows_that_came_past_the_triggers_are_looked_at() -> None:
    with capture_off():
        Token.objects.bulk_create(
            Token(expires_at=timezone.now() + offset) for offset in (-HOUR, HOUR, HOUR)
        )
    assert lifecycle.loaded(Token.objects.all()) == 3
    told = Event.objects.filter(kind="loaded")
    assert {event.policy for event in told} == {"tokens", "tokens-short"}
    assert {event.count for event in told} == {3}
    run_due()
    assert Token.objects.count() == 2
    assert AgendaEntry.objects.filter(policy="tokens").exists()


def test_one_that_is_past_its_end_has_a_grace_of_its_own() -> None:
    with capture_off():
        draft = Draft.objects.create(created_at=timezone.now() - timedelta(days=9))
    assert lifecycle.loaded(draft) == 1
    run_due()
    assert kinds() == ["loaded", "tombstoned"]
    lifecycle.restore(draft)
    run_due()
    assert Draft.objects.live().exists()


def test_who_did_it_is_told() -> None:
    member = Member.objects.create()
    with lifecycle.context(actor="ops: jo"):
        lifecycle.loaded(member)
    assert set(Event.objects.filter(kind="loaded").values_list("actor", flat=True)) == {"ops: jo"}


def test_a_row_that_is_not_there() -> None:
    token = Token.objects.create()
    Token.objects.all().delete()
    before = Event.objects.count()
    with pytest.raises(RowMissing):
        lifecycle.loaded(Token(pk=token.pk or 1))
    assert lifecycle.loaded(Token.objects.all()) == 0
    assert Event.objects.count() == before


def test_a_table_without_a_policy() -> None:
    with pytest.raises(NoPolicy):
        lifecycle.loaded(Picture.objects.all())
