"""Whose tombstone is it: one from before a restore, a change or another life does not count."""

from datetime import timedelta

import pytest
from django.utils import timezone

import lifecycle
from lifecycle.models import AgendaEntry, Event
from purge.runner import run_due
from tests.clock import pass_time
from tests.support import renamed
from tests.zoo.models import Life, Order, Person

pytestmark = pytest.mark.django_db(transaction=True)

HOUR = timedelta(hours=1)
GRACE = 2.25 * HOUR


def life(hours: float = -0.5, **fields: object) -> Life:
    values = {"expires_at": timezone.now() + hours * HOUR, "grace": GRACE} | fields
    return Life.objects.create(**values)


def run_after(hours: int) -> int:
    """Rows that are left after a pass so many hours later."""
    pass_time(hours=hours)
    run_due()
    return Life.objects.count()


def test_restored_then_expired_by_hand() -> None:
    row = life()
    run_due()
    pass_time(hours=2)
    lifecycle.restore(row)
    lifecycle.expire_now(row)
    assert run_after(0) == 1
    assert run_after(1) == 1
    assert run_after(2) == 0


def test_toggled_while_expired_by_hand() -> None:
    row = life(expires_at=None)
    lifecycle.expire_now(row)
    Life.objects.update(active=False)
    run_due()
    Life.objects.update(active=True)
    assert Life.objects.live().count() == 1
    assert run_after(3) == 1


def test_on_request_toggled_by_an_update_of_another_column() -> None:
    row = Person.objects.create(name="Ann")
    lifecycle.expire_now(row)
    Person.objects.update(name="Bob")
    assert lifecycle.tombstoned(Person).count() == 1


def test_grace_of_null_waits_until_it_is_known() -> None:
    life(grace=None)
    run_due()
    assert Event.objects.get(kind="tombstoned").due_at is not None
    assert run_after(24) == 1
    Life.objects.update(grace=HOUR)
    assert run_after(2) == 0


def test_no_grace_any_more_moves_no_tombstone() -> None:
    row = life(1.5)
    Life.objects.update(expires_at=timezone.now() + 0.5 * HOUR)
    assert run_after(1) == 1  # tombstoned at 1
    Life.objects.update(grace=timedelta(0))
    assert run_after(1) == 1  # the first entry falls due
    assert run_after(2) == 0
    assert Event.objects.get(kind="purged").subjects == [str(row.pk)]


def test_tombstoned_twice_then_another_row_under_the_key() -> None:
    row = life(1.5)
    Life.objects.update(expires_at=timezone.now() + 0.5 * HOUR)
    assert run_after(1) == 1  # tombstoned at 1, by the second entry
    assert run_after(1) == 1  # the first entry falls due
    assert run_after(2) == 0  # purged at 4
    Life.objects.create(pk=row.pk, expires_at=timezone.now() - 3 * HOUR, grace=GRACE)
    assert run_after(1) == 1
    assert run_after(1) == 1
    assert run_after(2) == 0


def test_changed_before_the_policy_was_renamed() -> None:
    life()
    run_due()
    Life.objects.update(expires_at=timezone.now() + HOUR)
    Life.objects.update(expires_at=timezone.now() - HOUR)
    pass_time(hours=3)
    with renamed("lives", "lives-renamed"):
        assert run_after(0) == 1
        assert run_after(3) == 0


def test_hold_until_a_date_is_looked_at_then() -> None:
    row = life(grace=timedelta(0))
    lifecycle.hold(row, until=timezone.now() + 0.5 * HOUR)
    assert run_after(0) == 1
    assert run_after(1) == 0


def test_a_hold_that_is_over_does_not_block_a_parent() -> None:
    order = Order.objects.create(expires_at=timezone.now() - HOUR, grace=timedelta(0))
    line = order.line_set.create()
    lifecycle.hold(line, until=timezone.now() + HOUR)
    run_due()
    assert Order.objects.count() == 1
    pass_time(hours=25)
    run_due()
    assert Order.objects.count() == 0
    assert AgendaEntry.objects.count() == 0
