"""Huey's tasks: names and times only, the work is in the runner."""

import time
from datetime import datetime

from django.db import DEFAULT_DB_ALIAS
from huey import crontab
from huey.contrib.djhuey import HUEY, db_periodic_task, db_task

from lifecycle.logs import Log
from lifecycle.policy.databases import served
from lifecycle.policy.registry import get_policy
from purge.alerts import watch as alerts
from purge.batch.outcome import MEDIA
from purge.media.run import run_media
from purge.passes.options import Pass
from purge.passes.runs import close_interrupted
from purge.runner import run_policy
from purge.sources.windows import sweep
from purge.worker import pulse
from purge.worker.backfill import PREFIX, read_slice, wake
from purge.worker.keepalive import keep_alive

SLICE = 1.0  # seconds; then the worker is free for the next policy in the queue

log = Log("purge")


@db_task()
def run_policy_task(name: str, since: str, using: str = DEFAULT_DB_ALIAS) -> None:
    """A slice of a pass over one policy; the pulse asks again while anything is due."""
    start, beats = datetime.fromisoformat(since), pulse.of(using)
    how = Pass(since=start, using=using, deadline=time.monotonic() + SLICE)
    try:
        run_policy(get_policy(name), how)
    except Exception:
        beats.failed(name)
        raise
    beats.answered(name, left=start if how.is_over else None)


@db_task()
def media_task(since: str, using: str = DEFAULT_DB_ALIAS) -> None:
    """A slice of a pass over the media; the pulse asks again while any are due."""
    start, beats = datetime.fromisoformat(since), pulse.of(using)
    how = Pass(since=start, using=using, deadline=time.monotonic() + SLICE)
    try:
        run_media(using, how)
    except Exception:
        beats.failed(MEDIA)
        raise
    beats.answered(MEDIA, left=start if how.is_over else None)


@db_task()
def backfill_task(name: str, using: str = DEFAULT_DB_ALIAS) -> None:
    """A second of reading a table whose rows no trigger has seen; the pulse asks again."""
    beats = pulse.of(using)
    try:
        read_slice(get_policy(name), using)
    except Exception:
        beats.failed(PREFIX + name)
        raise
    beats.answered(PREFIX + name)


@db_periodic_task(crontab(minute="*"))
def heartbeat() -> None:
    """Everything due, from the start: finds what the pulse may not have seen."""
    for using in served():
        try:
            close_interrupted(using)
            sweep.find_windows(using)
            pulse.of(using).tick(heartbeat=True)
            wake(pulse.of(using), heartbeat=True)
        except Exception:
            # The other databases have theirs all the same.
            log("heartbeat_failed", f"{using}: heartbeat failed", database=using)
        alerts.watch(using)


@HUEY.on_startup()
def start_pulse() -> None:
    """Each worker calls this; its process has one pulse for each database."""
    keep_alive(served())
    pulse.start()
