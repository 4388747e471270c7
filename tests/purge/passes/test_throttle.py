"""Passes slow down while the database is under pressure, and go on as before when it is over."""

import json
import logging
import time
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from django.utils.timezone import localtime

from lifecycle.insight.status import statuses
from lifecycle.policy.registry import get_policy
from purge.batch.outcome import Outcome
from purge.models import Throttle
from purge.passes import pressure, throttle
from purge.passes.options import PassOptions
from purge.runner import run_policy
from tests.support import session, wait_until
from tests.vacuuming import execute, unvacuumed
from tests.zoo.models import Token

pytestmark = pytest.mark.django_db(transaction=True)
#: A limit that any server is over; and all the others off.
NONE: dict[str, float | None] = dict.fromkeys(pressure.TEXTS)


def due(count: int) -> None:
    past = timezone.now() - timedelta(hours=1)
    Token.objects.bulk_create(Token(expires_at=past) for _ in range(count))


def run(**options: Any) -> Outcome:
    return run_policy(get_policy("tokens"), PassOptions(**options))


def measured(name: str, last: pressure.Sample | None = None) -> float:
    return pressure.measure(get_policy("tokens"), "default", last)[0].get(name, 0.0)


def dead(count: int) -> None:
    """Rows that nobody has vacuumed, in a table of so many."""
    Token.objects.bulk_create(Token() for _ in range(count))
    Token.objects.all().delete()
    execute("SELECT pg_stat_force_next_flush()")
    assert wait_until(lambda: measured("dead_rows")) > 0.5


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.action for record in caplog.records if "throttled" in record.action]  # type: ignore[attr-defined]


def test_a_worker_rests_in_proportion_to_its_batches(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.LIFECYCLE_THROTTLE = NONE | {"rest": 3}
    monkeypatch.setattr(get_policy("tokens"), "batch_rows", 15)
    took: list[float] = []
    slept: list[float] = []
    note = throttle.note_batch

    def noted(*given: Any) -> None:
        took.append(given[3])
        note(*given)

    monkeypatch.setattr(throttle, "note_batch", noted)
    monkeypatch.setattr(throttle.time, "sleep", slept.append)
    due(45)
    assert run().purged == 45
    rests = [seconds for seconds in slept if seconds]
    assert len(took) == 3
    assert 6 * max(took) >= sum(rests) > 3 * min(took)
    due(15)
    assert run(deadline=time.monotonic()).purged == 0, "it rests longer than the pass has time"


def test_dead_rows_slow_a_pass_down_and_stop_nothing(
    settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "purge")
    settings.LIFECYCLE_THROTTLE = NONE | {"dead_rows": 0.3}
    with unvacuumed("zoo_token"):
        dead(60)
        due(45)
        assert run().purged == 45
        assert said(caplog) == ["throttled"]
        slow = Throttle.objects.get(policy="tokens", reason="dead_rows")
        assert slow.seconds >= 0.01 + 0.02 + 0.04
        assert slow.measured > 0.3
        (status,) = [each for each in statuses() if each.policy == "tokens"]
        assert status.slowed == [pressure.in_words("dead_rows", slow.measured, slow.since)]
        assert f", since {localtime(slow.since):%Y-%m-%d %H:%M:%S}" in status.slowed[0]
        execute("SELECT pg_stat_force_next_flush()")  # or what went would be counted after it
        execute("VACUUM zoo_token")
        wait_until(lambda: not measured("dead_rows"))
        due(11)
        assert run().purged == 11
    assert said(caplog) == ["throttled", "unthrottled"]


def test_the_command_tells(settings: Any) -> None:
    settings.LIFECYCLE_THROTTLE = NONE | {"batch_time": 1e-9}
    due(35)
    assert run().purged == 35
    out = StringIO()
    call_command("lifecycle", "status", "tokens", stdout=out)
    assert "tokens: slowed down: the smallest batch takes " in out.getvalue()
    out = StringIO()
    call_command("lifecycle", "status", "tokens", "--json", stdout=out)
    assert json.loads(out.getvalue())[0]["slowed"][0].startswith("the smallest batch takes")


def test_what_is_slowed_down_does_not_ask_for_a_worker(settings: Any) -> None:
    settings.LIFECYCLE_THROTTLE = NONE | {"batch_time": 1e-9}
    due(25)
    run(limit=20)
    (status,) = [each for each in statuses(max_lag=0) if each.policy == "tokens"]
    assert [text for text in status.problems if text.endswith("behind: it is slowed down")]


def test_a_slice_ends_when_its_pause_is_longer(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker does other work meanwhile, and the rest of the pause counts in the next slice."""
    monkeypatch.setattr(throttle, "FIRST", 3600.0)
    monkeypatch.setattr(throttle, "LONGEST", 3600.0)
    settings.LIFECYCLE_THROTTLE = NONE | {"wal_rate": 1e-9, "batch_time": None}
    due(45)
    soon = time.monotonic() + 60
    assert run(deadline=soon).purged == 20  # the first measurement has nothing to compare with
    assert run(deadline=soon).purged == 0
    waiting = PassOptions(deadline=soon)
    run_policy(get_policy("tokens"), waiting)
    assert waiting.slowed  # or what is left of an old backlog would wait for a heartbeat
    place = throttle._places["default", "tokens"]
    place.until = 0.0  # the pause is over
    assert run(deadline=soon).purged == 10
    assert run(limit=5, dry=True).purged == 5  # a dry run changes nothing, and waits for nothing


def test_pauses_grow_and_have_an_end(settings: Any) -> None:
    settings.LIFECYCLE_THROTTLE = NONE | {"wal_rate": 1e-9}
    due(95)
    assert run().purged == 95
    pauses = Throttle.objects.get().seconds  # of 9 looks, the first without a rate
    assert pauses == pytest.approx(0.01 + 0.02 + 6 * 0.04, abs=0.05)


@pytest.mark.parametrize("limits", [None, NONE, {"dead_rows": None}])
def test_nothing_waits_where_there_is_no_pressure(settings: Any, limits: Any) -> None:
    settings.LIFECYCLE_THROTTLE = limits
    due(35)
    assert run().purged == 35
    assert not Throttle.objects.exists()


def test_a_small_pass_is_not_measured(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "FEW", 10_000)
    monkeypatch.setattr(pressure, "measure", None)
    due(95)
    assert run().purged == 95


def test_quick_batches_are_not_each_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    measure, measured = pressure.measure, []
    monkeypatch.setattr(pressure, "measure", lambda *a: measured.append(1) or measure(*a))
    monkeypatch.setattr(throttle, "OFTEN", 3600.0)
    due(95)
    assert run().purged == 95
    assert len(measured) == 1
    throttle._places["default", "tokens"].sample.at -= 3600.0  # it is time again
    due(15)
    assert run().purged == 15
    assert len(measured) == 2


def test_who_waits_for_a_lock_is_seen() -> None:
    with session() as reader, session() as altering:
        reader.execute("SELECT FROM zoo_token")
        number = altering.info.backend_pid
        altering.execute("SET lock_timeout = '20s'")
        with pytest.raises(Exception, match="canceling"):
            _cancelled_when_seen(altering, number)


def _cancelled_when_seen(altering: Any, number: int) -> None:
    from threading import Thread

    def watch() -> None:
        try:
            wait_until(lambda: measured("lock_wait") > 0.05)
        finally:
            execute(f"SELECT pg_cancel_backend({number})")
            connection.close()

    thread = Thread(target=watch)
    thread.start()
    try:
        altering.execute("LOCK TABLE zoo_token IN ACCESS EXCLUSIVE MODE")
    finally:
        thread.join()


def test_the_rate_of_the_log_is_that_between_two_measurements() -> None:
    _, last = pressure.measure(get_policy("tokens"), "default", None)
    execute("SELECT pg_logical_emit_message(false, 'test', repeat('x', 100000))")
    wait_until(lambda: measured("wal_rate", last) > 0)
    rate = measured("wal_rate", last)
    assert rate > 100_000 / (time.monotonic() - last.at + 1)


def test_each_measure_has_words() -> None:
    for name in pressure.TEXTS:
        assert pressure.in_words(name, 3.0)
    assert pressure.in_words("wal_rate", 200 * 1024.0**2).startswith("the server writes 200 MB")
