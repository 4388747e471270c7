"""Huey's tasks: names and times only, the work is in the runner."""

import time
from datetime import datetime

from huey import crontab
from huey.contrib.djhuey import HUEY, db_periodic_task, db_task

from lifecycle.registry import get_policy

from . import pulse
from .runner import Pass, close_interrupted, run_policy

SLICE = 1.0  # seconds; then the worker is free for the next policy in the queue


@db_task()
def run_policy_task(name: str, since: str) -> None:
    """A slice of a pass over one policy; the pulse asks again while anything is due."""
    start = datetime.fromisoformat(since)
    how = Pass(since=start, deadline=time.monotonic() + SLICE)
    try:
        run_policy(get_policy(name), how)
    except Exception:
        pulse.failed(name)
        raise
    pulse.answered(name, left=start if how.is_over else None)


@db_periodic_task(crontab(minute="*"))
def heartbeat() -> None:
    """Everything due, from the start: finds what the pulse may not have seen."""
    close_interrupted()
    pulse.tick(heartbeat=True)


@HUEY.on_startup()
def start_pulse() -> None:
    """Each worker calls this; its process has one pulse."""
    pulse.start()
