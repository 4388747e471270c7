"""The pulse: once a second, in the consumer, ask what is due and wake a worker for it.

Huey is only the clock and the hands. A task that is lost, with a killed worker or a flushed
queue, is asked for again: what is due stays on the agenda until it is settled.
"""

import logging
import threading
import time
from datetime import datetime, timedelta

from django.db import close_old_connections

from lifecycle.db import scalar

from .batch import ALWAYS
from .runner import due_policies

logger = logging.getLogger("purge")

INTERVAL = 1.0  # seconds
AFTER_THE_SECOND = 0.01  # seconds
ASKED_AGAIN = 30.0  # seconds until a wake-up that nobody answered is repeated
# Entries older than this are left to the heartbeat, so that under a long snapshot of some other
# session the dead ones, which cannot be vacuumed, are not read again every second.
LOOK_BACK = timedelta(minutes=2)

_asked: dict[str, float] = {}
_lock = threading.Lock()
_thread: threading.Thread | None = None


def start() -> None:
    """Start this process's pulse, once however many workers it has."""
    global _thread
    with _lock:
        if _thread is None or not _thread.is_alive():
            _thread = threading.Thread(target=_beat, name="purge-pulse", daemon=True)
            _thread.start()


def answered(policy: str) -> None:
    """A worker has finished a wake-up; the next one may come at once."""
    _asked.pop(policy, None)


def tick(since: datetime) -> list[str]:
    """Wake a worker for each policy that has something due; returns their names."""
    from .tasks import run_policy_task

    names = [name for name in due_policies(since=since) if _may_ask(name)]
    for name in names:
        run_policy_task(name, None if since == ALWAYS else since.isoformat())
    return names


def _may_ask(policy: str) -> bool:
    now = time.monotonic()
    if now - _asked.get(policy, -ASKED_AGAIN) < ASKED_AGAIN:
        return False
    _asked[policy] = now
    return True


def _beat() -> None:
    since, wait = ALWAYS, INTERVAL
    while True:
        try:
            close_old_connections()
            tick(since)
            now = scalar("default", "SELECT clock_timestamp()")
            since, wait = now - LOOK_BACK, _until_next_second(now)
        except Exception:
            # The database may be restarting; the next beat tries again, from the start.
            logger.exception("pulse failed", extra={"action": "pulse_failed"})
            since, wait = ALWAYS, INTERVAL
        time.sleep(wait)


def _until_next_second(now: datetime) -> float:
    """Due times are rounded up to whole seconds: look just after one, not somewhere between."""
    return INTERVAL - now.microsecond / 1_000_000 + AFTER_THE_SECOND
