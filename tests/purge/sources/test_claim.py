"""What a batch takes off the agenda: many entries of one row each are one set."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from lifecycle import expire_now
from lifecycle.db.connection import own_transaction
from lifecycle.models import AgendaEntry, Event
from lifecycle.policy.registry import get_policy
from purge.batch.run import begin
from purge.passes.options import PassOptions
from purge.runner import run_batch, run_due
from purge.sources import agenda
from tests.clock import pass_time
from tests.support import session
from tests.zoo.models import Draft, Token

pytestmark = pytest.mark.django_db(transaction=True)


def past(seconds: int = 5) -> datetime:
    return timezone.now() - timedelta(seconds=seconds)


def singly(count: int) -> list[Token]:
    return [Token.objects.create(expires_at=past(5 + number)) for number in range(count)]


def in_bulk(count: int, seconds: int = 5) -> None:
    due = past(seconds)
    Token.objects.bulk_create([Token(expires_at=due) for _ in range(count)])


def counts(kind: str) -> list[int]:
    return list(Event.objects.filter(kind=kind).order_by("id").values_list("count", flat=True))


def settled() -> list[int]:
    """How many entries each batch has taken off the agenda."""
    events = Event.objects.filter(kind="settled").order_by("id")
    return [len(event.settled or ()) for event in events]


def test_rows_that_were_written_singly_end_in_one_batch() -> None:
    rows = singly(7)
    run_due()
    assert (counts("purged"), settled()) == ([7], [7])
    assert sorted(Event.objects.get(kind="purged").subjects) == sorted(str(row.pk) for row in rows)
    assert not AgendaEntry.objects.exists()


def test_a_row_that_several_entries_list_is_taken_once() -> None:
    first, _ = singly(2)
    Token.objects.filter(pk=first.pk).update(expires_at=past(60))
    assert AgendaEntry.objects.count() == 3
    run_due()
    assert (counts("purged"), settled()) == ([2], [3])


def test_entries_of_one_row_beside_those_of_many() -> None:
    singly(2)
    in_bulk(3)
    scattered = list(Token.objects.order_by("pk").values_list("pk", flat=True))[::2]
    Token.objects.filter(pk__in=scattered).update(expires_at=past(30))
    run_due()
    assert sum(counts("purged")) == 5
    assert not Token.objects.exists()
    assert not AgendaEntry.objects.exists()


def test_one_entry_keeps_its_set_on_the_server() -> None:
    in_bulk(3)
    run_due()
    listed = Event.objects.get(kind="expiry_scheduled")
    assert Event.objects.get(kind="purged").basis == listed.pk


def test_no_more_entries_are_locked_than_the_batch_has_room_for() -> None:
    singly(5)
    policy = get_policy("tokens")
    with own_transaction("default"):
        batch = begin(policy, "default", None, dry=False, any_hour=False)
        assert batch
        source = agenda.claim(batch, PassOptions(), 3)
        assert source
        assert source.subjects.count == 3
        assert free_entries() == 2
        transaction.set_rollback(True)


def free_entries() -> int:
    """Entries that another worker may claim now."""
    with session() as other:
        found = other.execute("SELECT event_id FROM lifecycle_agenda FOR UPDATE SKIP LOCKED")
        return len(found.fetchall())


@pytest.mark.parametrize(
    ("sizes", "room", "taken"),
    [((2, 2, 2), 4, 4), ((2, 2, 2), 5, 4), ((1, 1, 3), 2, 2), ((3, 1, 1), 4, 3), ((6,), 4, 4)],
)
def test_entries_that_fit_are_taken_whole(sizes: tuple[int, ...], room: int, taken: int) -> None:
    for number, size in enumerate(sizes):
        in_bulk(size, seconds=60 - number)
    policy = get_policy("tokens")
    done = run_batch(agenda.claim, policy, PassOptions(), None, room)
    assert done
    assert done.looked == taken
    assert Token.objects.count() == sum(sizes) - taken
    run_due()
    assert not Token.objects.exists()


def test_each_row_keeps_its_own_tombstone() -> None:
    Draft.objects.create(created_at=past() - timedelta(days=2))
    run_due()
    pass_time(minutes=10)
    Draft.objects.create(created_at=past() - timedelta(days=2))
    run_due()
    tombstones: list[Any] = list(AgendaEntry.objects.values_list("tombstone", flat=True))
    assert len(set(tombstones)) == 2
    pass_time(hours=2)
    run_due()
    assert (counts("purged"), settled()[-1]) == ([2], 2)


def test_a_dry_run_sees_each_entry_once_and_takes_none() -> None:
    singly(4)
    options = PassOptions(dry=True)
    done = run_due(options)
    assert done["tokens"].looked == 4
    assert AgendaEntry.objects.count() == 4
    assert sorted(options.seen or []) == sorted(AgendaEntry.objects.values_list("pk", flat=True))


def test_rows_expired_by_hand_go_beside_the_others() -> None:
    singly(2)
    late = Token.objects.create(expires_at=timezone.now() + timedelta(days=1))
    expire_now(late, policy="tokens")
    pass_time(seconds=2)
    run_due()
    assert not Token.objects.exists()
