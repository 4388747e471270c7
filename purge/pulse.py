"""The pulse: once a second, in the consumer, ask what is due and wake a worker for it.

Due times are whole seconds where a policy does not say otherwise, so the pulse beats just after
each whole second of the database's clock.

Huey is only the clock and the hands. A wake-up that is lost, with a killed worker or a flushed
queue, is repeated: what is due stays on the agenda until it is settled. What this module remembers
is only there to ask less often, and is this process's own.
"""

import logging
import os
import threading
import time
from datetime import datetime, timedelta

from django.db import connections

from lifecycle.db import scalar

from .batch import ALWAYS
from .runner import due_policies

logger = logging.getLogger("purge")

INTERVAL = 1.0  # seconds
AFTER = 0.01 + os.getpid() % 50 / 1000  # seconds after the whole one; not all consumers at once
# Seconds until a wake-up that this process has not seen answered is repeated: it was lost, it
# still waits in the queue, or another consumer has answered it.
ASKED_AGAIN = 10.0
LONGEST_REST = 300.0  # seconds; a policy that fails again and again is asked for less and less
# Entries older than this are left to the heartbeat, so that under a long snapshot of some other
# session the dead ones, which cannot be vacuumed, are not read again every second.
LOOK_BACK = timedelta(minutes=2)

_lock = threading.Lock()
_thread: threading.Thread | None = None
_wanted = threading.Event()
_asked: dict[str, float] = {}  # policy -> when it was asked for, monotonic
_left: dict[str, datetime] = {}  # policy -> since when a worker has left something due
_resting: dict[str, tuple[int, float]] = {}  # policy -> failures in a row, until when it rests


def start() -> None:
    """Start this process's pulse, once however many worker threads it has."""
    global _thread
    with _lock:
        if _thread is None or not _thread.is_alive():
            _thread = threading.Thread(target=_beat, name="purge-pulse", daemon=True)
            _thread.start()


def answered(policy: str, left: datetime | None = None) -> None:
    """A worker has answered a wake-up.

    Where its time was over first, something may be `left` that has been due since then: the next
    beat comes at once and looks back as far.
    """
    with _lock:
        _asked.pop(policy, None)
        _resting.pop(policy, None)
        if left is not None:
            _left[policy] = left
    if left is not None:
        _wanted.set()


def failed(policy: str) -> None:
    """A worker could not go on: let the policy rest, longer after each failure in a row."""
    with _lock:
        failures = _resting.get(policy, (0, 0.0))[0] + 1
        rest = min(INTERVAL * 2 ** min(failures, 10), LONGEST_REST)
        _resting[policy] = failures, time.monotonic() + rest
        _asked.pop(policy, None)


def tick(since: datetime = ALWAYS, heartbeat: bool = False) -> list[str]:
    """Wake a worker for each policy that has something due; returns their names.

    A heartbeat asks also where an answer is outstanding: that one may not look back far enough.
    """
    from .tasks import run_policy_task

    with _lock:
        left = dict(_left)
    since = min([since, *left.values()])
    due = due_policies(since=since)
    names = [name for name in due if _may_ask(name, heartbeat)]
    for name in names:
        run_policy_task(name, since.isoformat())
        with _lock:
            _asked[name] = time.monotonic()
    _forget(left, {*names, *(left.keys() - due)})
    return names


def _forget(left: dict[str, datetime], names: set[str]) -> None:
    """Of what was left: asked for, or done by others."""
    with _lock:
        for name in names:
            if _left.get(name) == left.get(name):
                _left.pop(name, None)


def _may_ask(policy: str, heartbeat: bool) -> bool:
    now = time.monotonic()
    with _lock:
        if now < _resting.get(policy, (0, 0.0))[1]:
            return False
        return heartbeat or now - _asked.get(policy, -ASKED_AGAIN) >= ASKED_AGAIN


def _beat() -> None:
    since, healthy = ALWAYS, True
    while True:
        _wanted.clear()
        try:
            tick(since)
            clock = scalar("default", "SELECT lifecycle.now_v1()")
            since, wait = clock - LOOK_BACK, INTERVAL - clock.microsecond / 1_000_000 + AFTER
            if not healthy:
                logger.warning("pulse goes on", extra={"action": "pulse_recovered"})
            healthy = True
        except Exception:
            # The database may be restarting; the next beat connects again, from the start.
            if healthy:
                logger.exception("pulse failed", extra={"action": "pulse_failed"})
            since, healthy, wait = ALWAYS, False, INTERVAL
            connections.close_all()
        _wanted.wait(wait)
