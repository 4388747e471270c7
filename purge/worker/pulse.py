"""The pulse: once a second, in the consumer, ask what is due and wake a worker for it.

Each database with a ledger has its own pulse, a thread: one that does not answer holds up no other.
Due times are whole seconds where a policy does not say otherwise, so the pulse beats just after
each whole second of the database's clock.

Huey is only the clock and the hands. A wake-up that is lost, with a killed worker or a flushed
queue, is repeated: what is due stays on the agenda until it is settled. What this module remembers
is only there to ask less often, and is this process's own.
"""

import os
import threading
import time
from datetime import datetime, timedelta

from django.db import connections

from lifecycle.db.connection import scalar
from lifecycle.logs import Log
from lifecycle.policy.databases import served
from purge.batch.outcome import MEDIA
from purge.batch.state import ALWAYS
from purge.passes.due import ready_policies
from purge.worker.backfill import wake

log = Log("purge")

INTERVAL = 1.0  # seconds
AFTER = 0.01 + os.getpid() % 50 / 1000  # seconds after the whole one; not all consumers at once
# Seconds until a wake-up that this process has not seen answered is repeated: it was lost, it
# still waits in the queue, or another consumer has answered it.
ASKED_AGAIN = 10.0
LONGEST_REST = 300.0  # seconds; a policy that fails again and again is asked for less and less
# Entries older than this are left to the heartbeat, so that under a long snapshot of some other
# session the dead ones, which cannot be vacuumed, are not read again every second.
LOOK_BACK = timedelta(minutes=2)


class Pulse:
    """What this process remembers of one database, and the thread that asks it."""

    def __init__(self, using: str) -> None:
        self.using = using
        self.asked: dict[str, float] = {}  # policy -> when it was asked for, monotonic
        self.left: dict[str, datetime] = {}  # policy -> since when a worker has left something due
        self.able: set[str] | None = None  # the policies that might end rows at the last look
        # policy -> failures in a row, until when it rests
        self.resting: dict[str, tuple[int, float]] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._wanted = threading.Event()

    def start(self) -> None:
        """Start the thread, once however many worker threads ask for it."""
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                name = f"purge-pulse-{self.using}"
                self._thread = threading.Thread(target=self._beat, name=name, daemon=True)
                self._thread.start()

    def answered(self, policy: str, left: datetime | None = None) -> None:
        """A worker has answered a wake-up.

        Where its time was over first, something may be `left` that has been due since then: the
        next beat comes at once and looks back as far.
        """
        with self._lock:
            self.asked.pop(policy, None)
            self.resting.pop(policy, None)
            if left is not None:
                self.left[policy] = left
        if left is not None:
            self._wanted.set()

    def failed(self, policy: str) -> None:
        """A worker could not go on: let the policy rest, longer after each failure in a row."""
        with self._lock:
            failures = self.resting.get(policy, (0, 0.0))[0] + 1
            rest = min(INTERVAL * 2 ** min(failures, 10), LONGEST_REST)
            self.resting[policy] = failures, time.monotonic() + rest
            self.asked.pop(policy, None)

    def tick(self, since: datetime = ALWAYS, heartbeat: bool = False) -> list[str]:
        """Wake a worker for each policy that has something due, and for media; returns their names.

        A heartbeat asks also where an answer is outstanding: that one may not look back far enough.
        Where a policy may end rows that might not at the last look (resumed, released, its hours
        have begun), everything is looked at from the start: much may have fallen due meanwhile.
        """
        from purge.tasks import media_task, run_policy_task

        with self._lock:
            left = dict(self.left)
        since = min([since, *left.values()])
        ready = ready_policies(self.using, since)
        if self._is_back({each.policy for each in ready if each.open}) and since > ALWAYS:
            since = ALWAYS
            ready = ready_policies(self.using, since)
        due = [each.policy for each in ready if each.due]
        names = [name for name in due if self._may_ask(name, heartbeat)]
        for name in names:
            if name == MEDIA:
                media_task(since.isoformat(), self.using)
            else:
                run_policy_task(name, since.isoformat(), self.using)
            with self._lock:
                self.asked[name] = time.monotonic()
        self._forget(left, {*names, *(left.keys() - due)})
        return names

    def ask(self, name: str) -> bool:
        """Whether to wake a worker for a task of that name; if so, it is asked for now."""
        if not self._may_ask(name, heartbeat=False):
            return False
        with self._lock:
            self.asked[name] = time.monotonic()
        return True

    def _is_back(self, able: set[str]) -> bool:
        """Whether a policy may end rows that might not at the last look."""
        with self._lock:
            before, self.able = self.able, able
        return before is not None and not able <= before

    def _forget(self, left: dict[str, datetime], names: set[str]) -> None:
        """Of what was left: asked for, or done by others."""
        with self._lock:
            for name in names:
                if self.left.get(name) == left.get(name):
                    self.left.pop(name, None)

    def _may_ask(self, policy: str, heartbeat: bool) -> bool:
        now = time.monotonic()
        with self._lock:
            if now < self.resting.get(policy, (0, 0.0))[1]:
                return False
            return heartbeat or now - self.asked.get(policy, -ASKED_AGAIN) >= ASKED_AGAIN

    def _beat(self) -> None:
        since, healthy = ALWAYS, True
        while True:
            self._wanted.clear()
            try:
                self.tick(since)
                wake(self)
                clock = scalar(self.using, "SELECT lifecycle.now_v1()")
                since, wait = clock - LOOK_BACK, INTERVAL - clock.microsecond / 1_000_000 + AFTER
                if not healthy:
                    log("pulse_recovered", f"{self.using}: pulse goes on", database=self.using)
                healthy = True
            except Exception:
                # The database may be restarting; the next beat connects again, from the start.
                if healthy:
                    log("pulse_failed", f"{self.using}: pulse failed", database=self.using)
                since, healthy, wait = ALWAYS, False, INTERVAL
                connections.close_all()
            self._wanted.wait(wait)


_pulses: dict[str, Pulse] = {}
_lock = threading.Lock()


def of(using: str) -> Pulse:
    """This process's pulse of a database."""
    with _lock:
        return _pulses.setdefault(using, Pulse(using))


def start() -> None:
    """Start this process's pulses, one for each database that has a ledger."""
    for using in served():
        of(using).start()
