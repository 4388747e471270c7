"""The pulse: once a second, in the consumer, read what is due and wake a worker for it.

Each database with a ledger has its own pulse, a thread: one that does not answer holds up no other.
Due times are whole seconds where a policy does not say otherwise, so the pulse beats just after
each whole second of the database's clock.

Huey is only the clock and the hands. A wake-up that is lost, with a killed worker or a flushed
queue, is repeated: what is due stays on the agenda until it is settled.
"""

import os
import threading
from datetime import datetime, timedelta

from django.db import connections

from lifecycle.backfill.progress import reconcile, waiting
from lifecycle.db.connection import scalar
from lifecycle.logs import Log
from lifecycle.policy.databases import served
from purge.batch.brakes import is_other_version
from purge.batch.outcome import MEDIA
from purge.batch.state import BEGINNING
from purge.passes.due import beat, ready_policies
from purge.plans.carry_out import waiting as waiting_plans
from purge.worker import memory
from purge.worker.backfill import PREFIX
from purge.worker.jobs import (
    PLAN,
    backfill_task,
    media_task,
    plan_task,
    run_policy_task,
    wake_for_pending,
)

log = Log("purge")

INTERVAL = 1.0  # seconds
AFTER = 0.01 + os.getpid() % 50 / 1000  # seconds after the whole one; not all consumers at once
# Entries older than this are left to the heartbeat, so that under a long snapshot of some other
# session the dead ones, which cannot be vacuumed, are not read again every second.
LOOK_BACK = timedelta(minutes=2)


def tick(using: str, since: datetime = BEGINNING, heartbeat: bool = False) -> list[str]:
    """Wake a worker for each policy that has something due, and for media; returns their names.

    A heartbeat wakes also where an answer is outstanding: that one may not look back far enough.
    Where a policy may end rows that might not at the last beat (resumed, released, its hours have
    begun), the agenda is read from the start: much may have fallen due meanwhile. Where nothing is
    due, and which policies may act is as it was, no more is asked than that; but by a heartbeat.
    """
    known = memory.of(using)
    left = known.copy_leftovers()
    since = min([since, *left.values()])
    now = beat(using, since)
    if now and known.has_many_new(now.numbered):
        wake_for_pending(using)
    if now and not now.due and not heartbeat and now.acting == known.acting:
        known.forget_leftovers(left, set(left))
        return []
    names = _wake_due(using, since, heartbeat, left)
    # Of before the whole question: what has changed meanwhile is another one at the next beat.
    known.acting = now and now.acting
    return names


def _wake_due(using: str, since: datetime, heartbeat: bool, left: dict[str, datetime]) -> list[str]:
    known = memory.of(using)
    ready = ready_policies(using, since)
    if known.may_act_again({each.policy for each in ready if each.open}) and since > BEGINNING:
        since = BEGINNING
        ready = ready_policies(using, since)
    due = [each.policy for each in ready if each.due]
    names = [name for name in due if known.may_wake(name, heartbeat)]
    for name in names:
        _wake(name, since, using)
        known.note_sent(name)
    known.forget_leftovers(left, {*names, *(left.keys() - due)})
    return names


def _wake(name: str, since: datetime, using: str) -> None:
    if name == MEDIA:
        media_task(since.isoformat(), using)
    else:
        run_policy_task(name, since.isoformat(), using)


def tick_backfill(using: str, heartbeat: bool = False) -> list[str]:
    """Wake a worker for each policy whose table is to be read now; returns their names."""
    if is_other_version(using):
        return []
    if heartbeat:
        reconcile(using)
    known, names = memory.of(using), [policy.name for policy in waiting(using)]
    woken = [name for name in names if known.may_wake(PREFIX + name)]
    for name in woken:
        known.note_sent(PREFIX + name)
        backfill_task(name, using)
    return woken


def tick_plans(using: str) -> list[int]:
    """Wake a worker for each plan that is being applied; returns their numbers."""
    waiting_now = waiting_plans(using)
    if not waiting_now or is_other_version(using):
        return []
    known = memory.of(using)
    woken = [number for number in waiting_now if known.may_wake(f"{PLAN}{number}")]
    for number in woken:
        known.note_sent(f"{PLAN}{number}")
        plan_task(number, using)
    return woken


class Pulse:
    """The thread that reads the agenda of one database."""

    def __init__(self, using: str) -> None:
        self.using = using
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread, once however many worker threads ask for it."""
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                name = f"purge-pulse-{self.using}"
                self._thread = threading.Thread(target=self._beat, name=name, daemon=True)
                self._thread.start()

    def _beat(self) -> None:
        since, healthy, beat_now = BEGINNING, True, memory.of(self.using).beat_now
        while True:
            beat_now.clear()
            try:
                tick(self.using, since)
                tick_backfill(self.using)
                tick_plans(self.using)
                clock = scalar(self.using, "SELECT lifecycle.now_v1()")
                since, wait = clock - LOOK_BACK, INTERVAL - clock.microsecond / 1_000_000 + AFTER
                if not healthy:
                    log("pulse_recovered", f"{self.using}: pulse goes on", database=self.using)
                healthy = True
            except Exception:
                # The database may be restarting; the next beat connects again, from the start.
                if healthy:
                    log("pulse_failed", f"{self.using}: pulse failed", database=self.using)
                since, healthy, wait = BEGINNING, False, INTERVAL
                connections.close_all()
            beat_now.wait(wait)


_pulses: dict[str, Pulse] = {}
_lock = threading.Lock()


def start() -> None:
    """Start this process's pulses, one for each database that has a ledger."""
    for using in served():
        with _lock:
            pulse = _pulses.setdefault(using, Pulse(using))
        pulse.start()
