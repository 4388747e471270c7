"""Numbers that a scrape shows are those that were planted, each under its own label."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from lifecycle.db.connection import fetch
from lifecycle.insight.media_status import FILES
from lifecycle.ledger.pending import move_pending
from lifecycle.ledger.policy_states import PAUSE, change_all
from lifecycle.models import PolicyState
from lifecycle.sealing import log as logs
from lifecycle.sealing.seal import seal_all
from purge.alerts.watch import watch
from purge.batch.outcome import BOUNDS, STORED
from purge.models import Throttle, Total
from purge.proof.detect import State
from tests.lifecycle.metrics.away import away
from tests.lifecycle.metrics.test_scrape import scrape
from tests.purge.proof.support import ORIGIN, USING, in_folder, publish
from tests.vacuuming import execute, unvacuumed
from tests.zoo.factories import ExpiredTokenFactory
from tests.zoo.models import Token

pytestmark = pytest.mark.django_db(transaction=True)
BATCHES = "lifecycle_batch_duration_seconds"


def total(first: int) -> Total:
    """One of which no two numbers are alike."""
    outcomes = {name: first + place for place, name in enumerate(STORED)}
    spread = [first * (place + 1) for place in range(len(BOUNDS) + 1)]
    return Total.objects.create(
        policy="tokens", last_batch_at=timezone.now(), spread=spread, batches=sum(spread),
        seconds=first / 2, **outcomes,
    )  # fmt: skip


def test_sums_over_the_lines_of_a_policy() -> None:
    lines = [total(1), total(100)]
    found = scrape()
    shown = {
        name: found.value("lifecycle_rows_total", policy="tokens", outcome=name) for name in STORED
    }
    assert shown == {name: sum(getattr(each, name) for each in lines) for name in STORED}
    by_bound = zip(*(each.spread for each in lines), strict=True)
    whole = 0
    for bound, parts in zip([*(f"{each:g}" for each in BOUNDS), "+Inf"], by_bound, strict=True):
        whole += sum(parts)
        assert found.value(f"{BATCHES}_bucket", policy="tokens", le=bound) == whole, bound
    assert found.value(f"{BATCHES}_count", policy="tokens") == whole
    assert found.value(f"{BATCHES}_sum", policy="tokens") == sum(each.seconds for each in lines)


def test_pauses_by_their_reason() -> None:
    now, until = timezone.now(), timezone.now() + timedelta(minutes=1)
    for reason, seconds in (("wal_rate", 2.5), ("dead_rows", 7.25)):
        Throttle.objects.create(
            policy="tokens", reason=reason, measured=1, seconds=seconds, since=now, until=until
        )
    found = scrape()
    name = "lifecycle_throttled_seconds_total"
    assert found.value(name, policy="tokens", reason="wal_rate") == 2.5
    assert found.value(name, policy="tokens", reason="dead_rows") == 7.25


def test_files_wait_where_all_policies_are_paused() -> None:
    assert scrape().value("lifecycle_policy_state", policy=FILES, state="enabled") == 1
    change_all(PAUSE)
    found = scrape()
    assert found.value("lifecycle_policy_state", policy=FILES, state="paused") == 1
    assert found.value("lifecycle_policy_state", policy=FILES, state="enabled") == 0


@pytest.mark.plants(6)
def test_of_a_policy_that_was_removed_no_pass_is_missed() -> None:
    watch("default")
    name = "lifecycle_last_pass_timestamp_seconds"
    assert scrape().value(name, policy="drafts")
    PolicyState.objects.filter(name="drafts").update(state="removed")
    found = scrape()
    assert found.value(name, policy="drafts") is None
    assert found.value(name, policy="tokens")


def test_a_database_that_is_away_is_logged_without_its_address(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with away():
        scrape()
    assert [each.action for each in caplog.records] == ["scrape_failed"]  # type: ignore[attr-defined]
    assert "127.0.0.1" not in caplog.text


def test_dead_rows_of_a_table() -> None:
    with unvacuumed("zoo_token"):
        Token.objects.bulk_create(Token() for _ in range(40))
        Token.objects.filter(pk__in=Token.objects.values("pk")[:30]).delete()
        execute("SELECT pg_stat_force_next_flush()")
        found = scrape()
    assert found.value("lifecycle_dead_tuple_ratio", table="zoo_token") == 0.75


def test_dead_rows_of_the_pending_list() -> None:
    """Each of its rows goes within a minute."""
    with unvacuumed("lifecycle_pending"):
        for _ in range(3):
            Token.objects.create(expires_at=timezone.now() + timedelta(days=30))
            assert move_pending(USING) == 1
        execute("SELECT pg_stat_force_next_flush()")
        found = scrape()
    assert found.value("lifecycle_dead_tuple_ratio", table="lifecycle_pending") == 1


def test_what_is_sealed_and_not_published(tmp_path: Path) -> None:
    logs.open_log(USING, 1, f"{ORIGIN}/1")
    with in_folder(tmp_path):
        publish()
        assert scrape().value("lifecycle_unshipped_events") == 0
        ExpiredTokenFactory()
        waits = scrape().value("lifecycle_unsealed_events")
        assert waits
        seal_all(USING)
        found = scrape()
    assert found.value("lifecycle_unsealed_events") == 0
    assert found.value("lifecycle_unshipped_events") == waits


@pytest.mark.parametrize(
    ("kind", "is_restored"), [(State.RESTORED, 1), (State.FORKED, 1), (State.ALTERED, 0)]
)
def test_an_alarm_about_the_log(tmp_path: Path, kind: State, is_restored: int) -> None:
    logs.open_log(USING, 1, f"{ORIGIN}/1")
    fetch(
        USING, "UPDATE lifecycle_log SET alarm = jsonb_build_object('kind', %s::text)", [str(kind)]
    )
    with in_folder(tmp_path):
        found = scrape()
    assert found.value("lifecycle_restore_detected") == is_restored
    assert found.all("lifecycle_log_alarm") == [{"database": "default", "kind": str(kind)}]
    fetch(USING, "UPDATE lifecycle_log SET alarm = '{}'")
