"""A policy that matches the whole table: stopped before its first row, however it comes about."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from lifecycle.backfill import progress as backfill
from lifecycle.install import after_migrate as sync
from lifecycle.ledger import policy_states as states
from lifecycle.ledger.caps import room
from lifecycle.models import Event, PolicyState
from lifecycle.policy.registry import get_policy
from lifecycle.testing import capture_off, set_clock
from purge.batch import clock
from purge.batch.brakes import cap_of
from purge.batch.clock import ClockGuard
from purge.runner import run_due
from tests.infra.servers import until
from tests.purge.alerts.conftest import Mailbox
from tests.purge.worker.consumer import Consumer, ask
from tests.support import let_pass, renamed
from tests.vacuuming import unvacuumed
from tests.zoo.models import Account, Comment, Coupon

pytestmark = pytest.mark.django_db(transaction=True)
ROWS = 12_000  # more than 10,000 and than a tenth: no policy may end them in a day
FILL = (
    "INSERT INTO zoo_coupon (code, expires_at)"
    " SELECT 'c' || n, clock_timestamp() + %s FROM generate_series(1, %s) AS n"
)
ENDED = ("tombstoned", "purged", "updated", "deleted")


def fill(ago: timedelta = timedelta(days=30), rows: int = ROWS) -> None:
    ask(FILL, -ago, rows)


@pytest.fixture
def nothing_gone(mailbox: Mailbox) -> Iterator[None]:
    """After the test the policy is halted, its table as it was, and one mail has come."""
    yield
    assert PolicyState.objects.get(name="coupons").state == "halted"
    assert Coupon.objects.count() == ROWS
    assert not Event.objects.filter(kind__in=ENDED).exists()
    assert mailbox.subjects == ["[Django] Retention policy coupons has halted"]


@pytest.mark.usefixtures("nothing_gone")
def test_at_once() -> None:
    fill()
    assert run_due()["coupons"].halted


@pytest.mark.slow
@pytest.mark.usefixtures("nothing_gone")
def test_four_workers_at_once(consumer: Callable[..., Consumer], mailbox: Mailbox) -> None:
    fill()
    site = {"DJANGO_SETTINGS_MODULE": "tests.purge.alerts.settings", "MAIL_PORT": str(mailbox.port)}
    options = ("--worker-type=process", "--workers=2")
    started = [consumer(name, *options, **site) for name in ("one", "two")]
    until(lambda: mailbox.mails, 30)
    assert [each.end() for each in started] == [0, 0]
    assert Event.objects.filter(kind="halted").count() == 1


@pytest.mark.slow
@pytest.mark.usefixtures("nothing_gone")
def test_many_small_runs() -> None:
    fill()
    with pytest.raises(CommandError, match="A brake stopped"):
        call_command("purge", policy="coupons", limit=10)
    for _ in range(3):
        let_pass(timedelta(minutes=1))
        call_command("purge", policy="coupons", limit=10)


@pytest.mark.slow
@pytest.mark.usefixtures("nothing_gone")
def test_policy_added_to_a_filled_table() -> None:
    PolicyState.objects.filter(name="coupons").delete()
    with capture_off():
        fill()
    sync.sync("default")
    assert run_due() == {}
    while backfill.step(get_policy("coupons"), hurried=True):
        assert run_due() == {}
    states.enable("coupons", actor="ada")
    assert run_due()["coupons"].halted


@pytest.mark.usefixtures("nothing_gone")
def test_clock_that_was_wrong_before_the_worker_came(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "_guards", {})
    fill(-timedelta(days=300))
    assert run_due() == {}
    set_clock(timezone.now() + timedelta(days=365))
    assert run_due()["coupons"].halted


@pytest.mark.usefixtures("nothing_gone")
def test_clock_that_jumps_under_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where what is due is within the cap."""
    minute_ago = timezone.now() - timedelta(minutes=1)
    seconds = clock._boottime()
    monkeypatch.setattr(clock, "_guards", {"default": ClockGuard(lambda: seconds)})
    clock.check_clock(timezone.now(), "coupons")
    seconds -= 3600
    fill(-timedelta(days=300))
    Coupon.objects.filter(code__in=["c1", "c2"]).update(expires_at=minute_ago)
    assert run_due()["coupons"].halted
    assert Event.objects.get(kind="halted").cause == "clock"


def capped(monkeypatch: pytest.MonkeyPatch, name: str, rows: int, fraction: float = 0) -> Any:
    policy = get_policy(name)
    monkeypatch.setattr(policy, "cap_rows", rows)
    monkeypatch.setattr(policy, "cap_fraction", fraction)
    return policy


def state(name: str) -> str:
    return PolicyState.objects.get(name=name).state


@pytest.mark.slow
def test_what_falls_due_bit_by_bit_ends_at_the_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    capped(monkeypatch, "coupons", 100)
    for turn in range(30):
        ask(FILL.replace("'c'", f"'c{turn}-'"), -timedelta(minutes=1), 7)
        run_due()
        let_pass(timedelta(minutes=1))
    assert (state("coupons"), Coupon.objects.count()) == ("halted", 210 - 98)


def test_backfill_of_an_enabled_policy_ends_at_the_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = capped(monkeypatch, "coupons", 100)
    with capture_off():
        fill(rows=500)
    monkeypatch.setattr("lifecycle.backfill.progress.CHUNK", 30)
    backfill.ask(policy)
    while backfill.step(policy, hurried=True):
        run_due()
    assert (state("coupons"), Coupon.objects.count()) == ("halted", 410)


def test_another_name_does_not_begin_the_count_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    capped(monkeypatch, "coupons", 10)
    fill(rows=8)
    run_due()
    ask(FILL.replace("'c'", "'d'"), -timedelta(days=30), 8)
    with renamed("coupons", "vouchers"):
        assert room(get_policy("vouchers"), "default") == 2
        assert run_due()["vouchers"].halted
    assert Coupon.objects.count() == 8


def test_nor_does_another_state(monkeypatch: pytest.MonkeyPatch) -> None:
    capped(monkeypatch, "coupons", 10)
    fill(rows=12)
    run_due()
    states.disable("coupons", actor="ada")
    states.enable("coupons", actor="ada")
    run_due()
    assert (state("coupons"), Coupon.objects.count()) == ("halted", 12)


def test_nor_a_rebuild(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = capped(monkeypatch, "coupons", 10)
    fill(rows=8)
    run_due()
    states.rebuild()
    assert room(policy, "default") == 2


def test_rows_that_are_changed_count_too(monkeypatch: pytest.MonkeyPatch, mailbox: Mailbox) -> None:
    capped(monkeypatch, "accounts", 5)
    seen = timezone.now() - timedelta(days=99)
    Account.objects.bulk_create([Account(email="a", seen_at=seen) for _ in range(6)])
    run_due()
    let_pass(timedelta(hours=2))
    run_due()
    assert (state("accounts"), Account.objects.filter(active=True).count()) == ("halted", 6)


def test_share_of_a_table_that_has_shrunk_since_it_was_analysed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    policy = capped(monkeypatch, "coupons", 10, 0.5)
    with unvacuumed("zoo_coupon"):
        with capture_off():
            fill(rows=2000)
            ask("SELECT pg_stat_force_next_flush()")
            ask("ANALYZE zoo_coupon")
            assert cap_of(policy, "default") == 1000
            ask("DELETE FROM zoo_coupon")
            ask("SELECT pg_stat_force_next_flush()")
        fill(rows=100)
        assert ask("SELECT reltuples FROM pg_class WHERE relname = 'zoo_coupon'") == 2000
        run_due()
    assert (state("coupons"), Coupon.objects.count()) == ("halted", 100)


def test_rows_below_rows_of_the_same_table_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """One root that takes its whole tree along is no single row."""
    capped(monkeypatch, "comments", 5)
    root = Comment.objects.create(expires_at=timezone.now() - timedelta(days=1))
    Comment.objects.bulk_create([Comment(above=root) for _ in range(9)])
    run_due()
    assert (state("comments"), Comment.objects.count()) == ("halted", 10)
