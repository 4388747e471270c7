"""The life of rows that are emptied after a year and deleted after three: two policies, one row."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

import lifecycle
from lifecycle.ledger import policy_states as states
from lifecycle.models import Event
from lifecycle.testing import capture_off
from purge.replay.model import Replay
from purge.replay.plan import carry_out, plan
from tests.purge.replay.test_stories import verdicts
from tests.support import let_pass, run_until_idle
from tests.zoo.models import Leaver, Unpaid

pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(days=1)
YEAR = 365 * DAY
EMPTY, GONE = "leavers-anonymise", "leavers-delete"


def leaver(ago: timedelta = timedelta(0)) -> Leaver:
    left = timezone.now() - ago
    return Leaver.objects.create(name="Jo", email="jo@example.com", left_at=left)


def later(*spans: timedelta) -> None:
    """The worker comes after each."""
    for span in spans:
        let_pass(span)
        run_until_idle()


def is_empty(row: Leaver) -> bool:
    now = Leaver.objects.get(pk=row.pk)
    return (now.name, now.email) == (f"leaver {row.pk}", None) and now.emptied_at is not None


def told(*kinds: str) -> list[tuple[str, str]]:
    found = Event.objects.filter(kind__in=kinds or ("updated", "tombstoned", "purged"))
    return list(found.order_by("pk").values_list("kind", "policy"))


def emptied_at(row: Leaver) -> datetime | None:
    return Leaver.objects.values_list("emptied_at", flat=True).get(pk=row.pk)


@pytest.mark.slow
def test_a_row_is_emptied_once_and_deleted_in_the_end() -> None:
    row, stays = leaver(), Leaver.objects.create(name="Al", regular=True, left_at=timezone.now())
    later(YEAR - DAY)
    assert not is_empty(row)
    later(DAY)
    assert is_empty(row)
    assert row in lifecycle.live(Leaver)
    later(DAY, YEAR)
    assert told() == [("updated", EMPTY)]
    later(YEAR)
    assert row not in lifecycle.live(Leaver)
    later(timedelta(hours=2))
    assert list(Leaver.objects.all()) == [stays]
    assert told() == [("updated", EMPTY), ("tombstoned", GONE), ("purged", GONE)]


def test_a_tombstone_stands_while_the_row_is_emptied() -> None:
    """One that is past both ends is emptied within its grace, and that gives it no other grace."""
    row = leaver(4 * YEAR)
    later(timedelta(0))
    assert is_empty(row)
    assert told() == [("tombstoned", GONE), ("updated", EMPTY)]
    later(timedelta(hours=1, minutes=1))
    assert not Leaver.objects.exists()


def test_the_later_end_comes_first_so_that_no_row_is_emptied_in_vain() -> None:
    states.pause(EMPTY, actor="jo")
    leaver(4 * YEAR)
    later(timedelta(0), timedelta(minutes=50))
    states.resume(EMPTY, actor="jo")
    let_pass(timedelta(minutes=20))
    run_until_idle()
    assert not Leaver.objects.exists()
    assert told("updated") == []


def test_a_row_whose_emptying_was_held_up_is_deleted_all_the_same() -> None:
    states.pause(EMPTY, actor="jo")
    leaver()
    later(2 * YEAR, 2 * YEAR, timedelta(hours=2))
    assert not Leaver.objects.exists()
    assert told("updated") == []


def test_a_row_that_cannot_be_deleted_is_emptied_all_the_same() -> None:
    row = leaver(4 * YEAR)
    owed = Unpaid.objects.create(leaver=row)
    later(timedelta(0), timedelta(hours=2))
    assert is_empty(row)
    assert told("blocked") == [("blocked", GONE)]
    owed.delete()
    later(2 * DAY)
    assert not Leaver.objects.exists()


@pytest.mark.slow
def test_a_hold_and_a_restore_are_of_all_ends() -> None:
    held, restored = leaver(), leaver()
    lifecycle.hold(held)
    lifecycle.restore(restored, until=timezone.now() + 4 * YEAR)
    later(YEAR + DAY, 2 * YEAR)
    assert not is_empty(held)
    assert not is_empty(restored)
    lifecycle.release(held)
    run_until_idle()
    assert is_empty(held)
    later(timedelta(hours=2))
    assert list(Leaver.objects.all()) == [restored]
    later(YEAR, timedelta(hours=2))
    assert not Leaver.objects.exists()


@pytest.mark.slow
def test_what_is_written_into_an_empty_row_is_emptied_again() -> None:
    row = leaver(YEAR)
    later(timedelta(0))
    first = emptied_at(row)
    Leaver.objects.filter(pk=row.pk).update(email="jo@example.com")
    later(timedelta(0))
    assert is_empty(row)
    assert told() == [("updated", EMPTY)] * 2
    assert emptied_at(row) != first
    Leaver.objects.filter(pk=row.pk).update(left_at=None)
    later(4 * YEAR)
    assert is_empty(row)


@pytest.mark.slow
def test_a_restore_of_an_empty_row_ends_as_it_is_filled_and_a_hold_does_not() -> None:
    """Filling it gives it an end that it had not, and a restore lasts until the end changes."""
    first, second = leaver(2 * YEAR), leaver(2 * YEAR)
    later(timedelta(0))
    lifecycle.restore(first, until=timezone.now() + YEAR)
    lifecycle.hold(second)
    Leaver.objects.update(email="jo@example.com")
    later(timedelta(0))
    assert is_empty(first)
    lifecycle.restore(second, until=timezone.now() + 200 * DAY)
    lifecycle.release(second)
    later(timedelta(0), 199 * DAY)
    assert not is_empty(second)
    later(2 * DAY)
    assert is_empty(second)


@pytest.mark.slow
def test_a_row_that_had_nothing_to_be_emptied_is_marked_once() -> None:
    row = Leaver.objects.create(pk=7, name="leaver 7", left_at=timezone.now())
    later(YEAR, DAY)
    assert is_empty(row)
    assert told() == [("updated", EMPTY)]


@pytest.mark.slow
@pytest.mark.parametrize("years", [2, 4])
def test_a_row_that_a_backup_has_full_comes_to_the_same_end_again(years: int) -> None:
    """The backup is from before the row was emptied; that was undone with it, or its deletion."""
    row = leaver()
    later(years * YEAR, timedelta(hours=2))
    left = timezone.now() - years * YEAR - timedelta(hours=2)
    with capture_off():
        Leaver.objects.filter(pk=row.pk).delete()
        Leaver.objects.create(pk=row.pk, name="Jo", email="jo@example.com", left_at=left)
    first, second = replayed(), replayed()
    assert first["ended"] == 1
    assert not first.get("unsure")
    assert not second.get("ended")
    assert [is_empty(each) for each in Leaver.objects.all()] == ([True] if years == 2 else [])


def replayed() -> dict[str, int]:
    how = Replay(actor="jo")
    plan(how)
    return verdicts(carry_out(how))
