"""The pulse's memory: whom it wakes, and when it does so again."""

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from huey.contrib.djhuey import HUEY

from lifecycle import hold, release
from lifecycle.ledger import policy_states as states
from lifecycle.models import PolicyState
from purge.batch import brakes
from purge.batch.state import BEGINNING
from purge.models import Run
from purge.runner import run_due
from purge.worker import memory, pulse
from tests.purge.worker.consumer import ask
from tests.support import SetHours, let_pass
from tests.zoo.models import Coupon, Token

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def queue(transactional_db: None) -> Iterator[None]:
    """The queue, emptied; the pulse as in a new process."""
    memory._memories.clear()
    brakes._warned.clear()
    HUEY.storage.flush_queue()
    yield
    HUEY.storage.flush_queue()
    HUEY.storage.close()


def tick(*since: Any, **options: Any) -> list[str]:
    """One beat of the test database."""
    return pulse.tick("default", *since, **options)


def known() -> memory.Memory:
    """What this process remembers of the test database."""
    return memory.of("default")


def token(ago: timedelta = timedelta(seconds=1)) -> Token:
    return Token.objects.create(expires_at=timezone.now() - ago)


def queued() -> int:
    return int(HUEY.storage.queue_size())


def test_asks_once_until_it_is_answered() -> None:
    token()
    assert tick() == ["tokens"]
    assert tick() == []
    known().reset("tokens")
    assert tick() == ["tokens"]
    assert queued() == 2


def test_asks_nobody_when_nothing_is_due() -> None:
    token(timedelta(hours=-1))
    assert tick() == []
    assert queued() == 0


def test_wake_up_without_an_answer_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    token()
    tick()
    monkeypatch.setattr(memory, "REPEATED", 0.0)
    assert tick() == ["tokens"]


def test_wake_up_that_could_not_be_sent_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    token()
    with monkeypatch.context() as broken:
        broken.setattr(HUEY, "enqueue", lambda *given: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            tick()
    assert tick() == ["tokens"]


def test_failing_policy_rests_longer_and_longer() -> None:
    token()
    rests = []
    for _ in range(12):
        known().back_off("tokens")
        rests.append(round(known().failures["tokens"][1] - time.monotonic()))
        assert tick(heartbeat=True) == []
    assert rests == sorted(rests)
    assert rests[0] == 2
    assert rests[-1] <= memory.LONGEST_WAIT
    known().reset("tokens")
    assert tick() == ["tokens"]


def test_heartbeat_asks_what_the_pulse_does_not_see() -> None:
    token()
    let_pass(timedelta(hours=1))
    recent = timezone.now() - pulse.LOOK_BACK
    assert tick(since=recent) == []
    assert tick(heartbeat=True) == ["tokens"]
    assert tick(heartbeat=True) == ["tokens"]


def test_backlog_is_asked_for_until_it_is_done() -> None:
    token()
    let_pass(timedelta(hours=1))
    recent = timezone.now() - pulse.LOOK_BACK
    known().reset("tokens", left_since=BEGINNING)
    assert tick(since=recent) == ["tokens"]
    known().reset("tokens")
    assert tick(since=recent) == []
    known().reset("tokens", left_since=BEGINNING)
    run_due()
    assert tick(since=recent) == []
    assert not known().leftovers


def test_policy_of_other_code_is_left_and_told_once(caplog: pytest.LogCaptureFixture) -> None:
    token()
    PolicyState.objects.filter(name="tokens").update(fingerprint="of-yesterday")
    assert tick() == []
    assert tick() == []
    assert caplog.text.count("tokens: declared differently") == 1
    assert run_due() == {}


@pytest.fixture
def broken_coupons() -> Iterator[Any]:
    """A due coupon whose column has another name than its policy says."""
    Coupon.objects.create(code="A", expires_at=timezone.now() - timedelta(seconds=1))
    ask("ALTER TABLE zoo_coupon RENAME COLUMN expires_at TO gone")
    yield
    ask("ALTER TABLE zoo_coupon RENAME COLUMN gone TO expires_at")


@pytest.mark.usefixtures("broken_coupons")
def test_error_of_one_policy_stops_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    token()
    with pytest.raises(Exception, match="expires_at"):
        run_due()
    assert not Token.objects.exists()
    token()
    with pytest.raises(CommandError, match="An error stopped coupons; the others were run"):
        call_command("purge")
    assert not Token.objects.exists()
    failed = Run.objects.filter(policy="coupons", error="ProgrammingError")
    assert failed.count() == 2
    assert Run.objects.filter(policy="tokens", error="", purged=1).count() == 2
    with pytest.raises(CommandError, match="An error stopped coupons"):
        call_command("purge", dry_run=True)
    assert failed.count() == 2
    assert ask("SELECT count(*) FROM zoo_coupon") == 1


def test_rests_outside_the_hours_and_looks_back_when_they_begin(set_hours: SetHours) -> None:
    set_hours("tokens")
    token()
    assert tick() == ["tokens"]
    run_due()
    known().reset("tokens")
    let_pass(timedelta(hours=1))
    set_hours("tokens")
    recent = timezone.now() - pulse.LOOK_BACK
    assert (tick(recent), tick(heartbeat=True)) == ([], [])
    set_hours("tokens", is_open=True)
    assert tick(recent) == ["tokens"]


@pytest.mark.parametrize("stop", ["pause", "hold"])
def test_looks_back_for_what_was_stopped(stop: str) -> None:
    """Nobody waits for the heartbeat after a pause."""
    recent = timezone.now() - pulse.LOOK_BACK
    assert tick(recent) == []
    if stop == "hold":
        hold("tokens")
    else:
        states.pause("tokens")
    assert tick(recent) == []
    token()
    let_pass(timedelta(hours=1))
    if stop == "hold":
        release("tokens")
    else:
        states.resume("tokens")
    assert tick(recent) == ["tokens"]
    run_due()
    known().reset("tokens")
    assert tick(recent) == []
