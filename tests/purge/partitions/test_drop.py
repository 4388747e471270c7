"""Rows end with their partition: what drops it, what keeps it, what the ledger says."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError

from lifecycle import hold, release, signals
from lifecycle.ledger import partitions_due
from lifecycle.models import AgendaEntry, Event, PolicyState
from lifecycle.testing import run_until
from purge.partitions import drop
from purge.passes.due import due_policies
from purge.passes.options import PassOptions
from purge.runner import run_due
from tests.purge.partitions import tables
from tests.purge.partitions.tables import run, there, write
from tests.support import SetHours, database_now
from tests.zoo.models import Token

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


def said(pk: int, kind: str) -> None:
    """As a person said it of a row, before rows went with their partitions."""
    run(f"""SELECT lifecycle.write_v1('{kind}', 'pings', 'zoo.ping',
        lifecycle.one_v1('bigint', '{pk}'), 1, NULL,
        CASE '{kind}' WHEN 'expired_by_hand' THEN lifecycle.now_v1() END, NULL, '{{}}', NULL)""")


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


def test_what_is_left_of_the_time_before_keeps_nothing_but_a_restore(pings: Any) -> None:
    """Of a policy whose rows were once expired by hand, restored or warned of singly."""
    for pk, moment in zip(write(OLD, OLDER, OLD), (OLD, OLDER, OLD), strict=True):
        said(pk, {OLD: "expired_by_hand", OLDER: "restored"}[moment])
    run_due()
    assert there() == ["zoo_ping_late", "zoo_ping_older"]
    assert waits() == ["held"]


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


def test_outside_its_hours_it_is_left_alone(pings: Any, set_hours: SetHours) -> None:
    write(OLD)
    drop.find_partitions("default")
    set_hours("pings")
    assert "pings" not in due_policies()
    run_due()
    assert len(there()) == 3
    set_hours("pings", is_open=True)
    run_due()
    assert there() == ["zoo_ping_late"]


def test_a_look_that_lasts_until_its_hours_are_over_drops_nothing(
    pings: Any, set_hours: SetHours, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(OLD, OLD)
    set_hours("pings", is_open=True)
    look_at = drop.look_at

    def slowly(*args: Any) -> Any:
        set_hours("pings")
        return look_at(*args)

    with monkeypatch.context() as patch:
        patch.setattr(drop, "look_at", slowly)
        drop.find_partitions("default")
        assert run_due()["pings"].purged == 0
    assert len(there()) == 3
    assert waits() == ["expiry_scheduled", "late"]
    assert PolicyState.objects.get(name="pings").spent == {}


def test_a_worker_that_was_stopped_too_long_before_it_drops_does_not(
    pings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(OLD)
    with monkeypatch.context() as patch:
        patch.setattr(drop, "_last_moment", lambda batch, options: batch.now)
        run_due()
    assert purged() == []
    assert waits() == ["late", "late"]


def test_a_look_that_the_server_stops_keeps_that_partition_and_says_why(
    pings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(OLD, OLDER)
    for module in (drop, partitions_due):
        look_at = module.look_at

        def slowly(policy: Any, low: str, high: str, using: str, own: Any = look_at) -> Any:
            if low.startswith("2019"):
                run("SET LOCAL statement_timeout = 1; SELECT pg_sleep(9)")
            return own(policy, low, high, using)

        monkeypatch.setattr(module, "look_at", slowly)
    run_due()
    assert there() == ["zoo_ping_late", "zoo_ping_older"]
    assert waits() == ["timeout"]
    assert purged() == [(1, "public.zoo_ping_old")]


def test_a_pass_with_a_limit_leaves_a_larger_partition(pings: Any) -> None:
    write(OLDER, OLD, OLD)
    run_due(PassOptions(limit=2))
    assert purged() == [(1, "public.zoo_ping_older")]
    run_due(PassOptions(limit=2))
    assert there() == ["zoo_ping_late"]


def test_a_dry_run_shows_which_would_go(pings: Any) -> None:
    write(OLD, OLDER)
    drop.find_partitions("default")
    done = run_due(PassOptions(dry=True))["pings"]
    assert done.purged == 2
    assert done.sample == ("public.zoo_ping_older", "public.zoo_ping_old")
    assert len(there()) == 3


@pytest.mark.slow
def test_the_clock_of_a_hosts_test_drops_what_is_over_by_then(pings: Any) -> None:
    write(LATE)
    assert run_until(datetime(2999, 1, 1, tzinfo=UTC)) == {}
    assert run_until(datetime(2999, 4, 1, tzinfo=UTC)) == {"pings": {"purged": 1}}
    assert there() == []


def test_the_command_finds_partitions_where_no_worker_runs(pings: Any) -> None:
    write(OLD)
    call_command("purge", "--dry-run")
    assert len(there()) == 3
    assert not AgendaEntry.objects.exists()
    call_command("purge", "--policy", "pings")
    assert there() == ["zoo_ping_late"]
    assert purged() == [(1, "public.zoo_ping_old")]


def test_receivers_of_purged_hear_of_the_event(pings: Any) -> None:
    heard: list[Any] = []

    def receive(**given: Any) -> None:
        heard.append((given["policy"], given["events"], given["count"]))

    signals.purged.connect(receive, sender=pings)
    write(OLD, OLD)
    run_due()
    assert heard == [("pings", [Event.objects.get(kind="purged").pk], 2)]


def test_a_paused_or_observing_policy_drops_nothing(pings: Any) -> None:
    write(OLD)
    for state in ("paused", "observe", "halted"):
        PolicyState.objects.filter(name="pings").update(state=state)
        run_due()
        assert len(there()) == 3
    PolicyState.objects.filter(name="pings").update(state="enabled")
    number = hold("pings", reference="CASE-1")
    run_due()
    assert len(there()) == 3
    release(number)
    run_due()
    assert there() == ["zoo_ping_late"]


def test_a_partition_that_is_back_is_dropped_by_the_pass_after_a_replay(pings: Any) -> None:
    write(OLD)
    run_due()
    tables.partition("old", *tables.MONTHS["old"])
    run(f"INSERT INTO zoo_ping (id, created) VALUES (1, '{OLD}')")
    call_command("purge", "--replay", "--yes")
    assert there() == ["zoo_ping_late"]
    assert len(purged()) == 2
    assert not Event.objects.filter(kind="purged", cause="replay").exists()


def test_partitions_that_cannot_be_listed_keep_no_other_policy_from_ending(
    pings: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*args: Any) -> int:
        raise DatabaseError

    monkeypatch.setattr(drop, "list_partitions", fails)
    token = Token.objects.create(expires_at=OLD)
    run_due()
    assert "its partitions cannot be listed" in caplog.text
    assert not Token.objects.filter(pk=token.pk).exists()


def test_a_partition_that_is_back_from_a_backup_is_dropped_again(pings: Any) -> None:
    write(OLD)
    run_due()
    tables.partition("old", *tables.MONTHS["old"])
    write(OLD)
    run_due()
    assert there() == ["zoo_ping_late"]
    assert len(purged()) == 2
