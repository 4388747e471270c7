"""Rows end with their partition: what drops it, what keeps it, what the ledger says."""

from typing import Any

import pytest

from lifecycle import hold, release
from lifecycle.models import AgendaEntry, Event, PolicyState
from purge.runner import run_due
from tests.purge.partitions import tables
from tests.purge.partitions.tables import run, there, write
from tests.support import database_now

pytestmark = pytest.mark.django_db(transaction=True)
OLD, OLDER, LATE = "2020-01-15T00:00Z", "2019-12-15T00:00Z", "2020-02-15T00:00Z"


def purged() -> list[tuple[int, str]]:
    """Rows and partition of each ending, in order."""
    told = Event.objects.filter(kind="purged", policy="pings").order_by("id")
    return [(each.count, each.detail["partition"]) for each in told]


def waits() -> list[str]:
    """Why partitions wait, in order."""
    entries = (
        AgendaEntry.objects.filter(policy="pings").select_related("event").order_by("event_id")
    )
    return [
        each.event.detail.get("error") or each.event.detail.get("relisted") or each.event.kind
        for each in entries
    ]


def test_partitions_that_are_over_are_dropped_and_their_rows_counted(pings: Any) -> None:
    write(OLD, OLD, OLDER, LATE)
    done = run_due()["pings"]
    assert there() == ["zoo_ping_late"]
    assert (done.purged, done.fresh) == (3, 3)
    assert purged() == [(1, "public.zoo_ping_older"), (2, "public.zoo_ping_old")]
    assert not AgendaEntry.objects.exists()
    assert pings.objects.count() == 1


def test_nothing_is_captured_when_rows_are_written(pings: Any) -> None:
    before = Event.objects.count()
    pings.objects.create(created=database_now())
    pings.objects.all().update(note="x")
    pings.objects.all().delete()
    assert Event.objects.count() == before


def test_an_empty_partition_goes_too(pings: Any) -> None:
    run_due()
    assert there() == ["zoo_ping_late"]
    assert purged() == []


def test_a_held_row_keeps_its_partition_until_it_is_released(pings: Any) -> None:
    write(OLD, OLDER)
    hold(pings.objects.get(created=OLD), reason="dispute")
    run_due()
    assert there() == ["zoo_ping_late", "zoo_ping_old"]
    assert waits() == ["held"]
    release(pings.objects.get(created=OLD))
    run_due()
    assert there() == ["zoo_ping_late"]


def test_a_hold_on_a_key_that_stands_twice_keeps_both(pings: Any) -> None:
    run(f"INSERT INTO zoo_ping (id, created) VALUES (7, '{OLD}'), (7, '{OLDER}'), (8, '{OLD}')")
    hold(pings.objects.filter(id=7)[0])
    run_due()
    assert len(there()) == 3
    assert waits() == ["held", "held"]


def test_more_than_the_cap_halts_before_the_first_row(pings: Any, policy_with: Any) -> None:
    write(*[OLD] * 5)
    policy_with(cap_rows=4, cap_fraction=0)
    done = run_due()["pings"]
    assert done.halted
    assert len(there()) == 3
    assert PolicyState.objects.get(name="pings").state == "halted"


def test_a_partition_that_is_back_from_a_backup_is_dropped_again(pings: Any) -> None:
    write(OLD)
    run_due()
    tables.partition("old", *tables.MONTHS["old"])
    write(OLD)
    run_due()
    assert there() == ["zoo_ping_late"]
    assert len(purged()) == 2
