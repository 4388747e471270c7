"""Huey's tasks: names and times only, the work is in the runner."""

from datetime import datetime

from huey import crontab
from huey.contrib.djhuey import HUEY, db_periodic_task, db_task

from lifecycle.registry import get_policy

from . import pulse
from .batch import ALWAYS
from .runner import Pass, run_due, run_policy


@db_task()
def run_policy_task(name: str, since: str | None = None) -> None:
    """A pass over one policy; runs again by itself when this one is lost."""
    try:
        start = datetime.fromisoformat(since) if since else ALWAYS
        run_policy(get_policy(name), Pass(since=start))
    finally:
        pulse.answered(name)


@db_periodic_task(crontab(minute="*"))
def heartbeat() -> None:
    """Everything due, from the start: finds what the pulse may not have seen."""
    run_due()


@HUEY.on_startup()
def start_pulse() -> None:
    """Each worker thread calls this; the process has one pulse."""
    pulse.start()
