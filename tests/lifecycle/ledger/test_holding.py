"""Holds on many rows, on one of them, under a reference."""

from datetime import timedelta

import pytest
from django.utils import timezone

from lifecycle import context, hold, hold_rows, holds, release
from lifecycle.exceptions import LifecycleError
from lifecycle.ledger.policy_states import rebuild
from lifecycle.models import Event, RowException
from purge.runner import run_due
from tests.support import Background, events_of, let_pass, session, wait_until, waits_for
from tests.zoo import factories
from tests.zoo.models import Draft, Picture, Token

pytestmark = pytest.mark.django_db(transaction=True)
HOUR = timedelta(hours=1)


def test_rows_of_a_queryset_are_held_by_one_event() -> None:
    tokens = factories.ExpiredTokenFactory.create_batch(5)
    free = factories.ExpiredTokenFactory()
    numbers, count = hold_rows(Token.objects.exclude(pk=free.pk), reason="audit", reference="A-1")
    assert (len(numbers), count) == (1, 5)
    assert sorted(Event.objects.get(pk=numbers[0]).subjects) == sorted(str(t.pk) for t in tokens)
    run_due()
    assert set(Token.objects.all()) == set(tokens)
    before = set(RowException.objects.values_list("event_id", "kind", "key"))
    rebuild()
    assert set(RowException.objects.values_list("event_id", "kind", "key")) == before


def test_a_filter_over_relations() -> None:
    draft = factories.LiveDraftFactory()
    Picture.objects.create(draft=draft)
    Picture.objects.create(draft=draft)
    factories.LiveDraftFactory()
    _, count = hold_rows(Draft.objects.filter(picture__isnull=False))
    assert count == 1


def test_one_row_is_let_go_and_the_others_stay() -> None:
    first, second = factories.ExpiredTokenFactory.create_batch(2)
    numbers, _ = hold_rows(Token.objects.all())
    assert release(first) == 1
    run_due()
    assert list(Token.objects.all()) == [second]
    assert release(numbers[0]) == 1
    run_due()
    assert not Token.objects.exists()
    rebuild()
    assert not RowException.objects.exists()


def test_all_under_a_reference() -> None:
    factories.ExpiredTokenFactory.create_batch(2)
    hold(factories.ExpiredTokenFactory(), reference="A-1")
    hold_rows(Token.objects.all(), reference="A-1")
    hold("tickets", reference="A-2")
    assert release(reference="A-1") == 2
    assert [each.policy for each in holds()] == ["tickets"]
    run_due()
    assert not Token.objects.exists()
    with pytest.raises(LifecycleError, match="'A-1'"):
        release(reference="A-1")


def test_they_are_listed_with_who_and_why() -> None:
    until = timezone.now() + HOUR
    row = factories.LiveTokenFactory()
    with context(actor="ann"):
        number = hold(row, reason="court", reference="A-1", until=until)
    (found,) = holds()
    assert (found.number, found.model, found.rows, found.key) == (
        number,
        "zoo.token",
        1,
        str(row.pk),
    )
    assert (found.reason, found.reference, found.actor) == ("court", "A-1", "ann")
    assert found.until == until
    assert found.in_force


def test_a_hold_that_has_run_out_lets_the_row_go_by_itself() -> None:
    row = factories.ExpiredTokenFactory()
    hold(row, until=timezone.now() + HOUR)
    run_due()
    assert Token.objects.exists()
    let_pass(2 * HOUR)
    assert not holds()[0].in_force
    run_due()
    assert not Token.objects.exists()
    assert events_of(row, "purged") == ["purged"]


def test_none_or_all() -> None:
    assert hold_rows(Token.objects.none()) == ([], 0)
    assert not Event.objects.filter(kind="hold_placed").exists()


def test_rows_that_go_while_it_waits_are_not_among_them() -> None:
    gone, stays = factories.LiveTokenFactory.create_batch(2)
    with session() as other:
        other.execute("DELETE FROM zoo_token WHERE id = %s", [gone.pk])
        holding = Background(lambda: hold_rows(Token.objects.all()))
        wait_until(lambda: waits_for(other.info.backend_pid), "the hold to wait")
    numbers, count = holding.result()
    assert count == 1
    assert Event.objects.get(pk=numbers[0]).subjects == [str(stays.pk)]
