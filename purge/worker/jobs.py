"""The work that a wake-up asks for: Huey's tasks, with names and times only; a slice each."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import DEFAULT_DB_ALIAS
from huey.contrib.djhuey import db_task

from lifecycle.policy.registry import get_policy
from purge.batch.outcome import MEDIA
from purge.media.run import run_media
from purge.passes.options import PassOptions
from purge.runner import run_policy
from purge.worker import memory
from purge.worker.backfill import PREFIX, read_slice

SLICE = 1.0  # seconds; then the worker is free for what else is in the queue


@db_task()
def run_policy_task(name: str, since: str, using: str = DEFAULT_DB_ALIAS) -> None:
    """A slice of a pass over one policy; the pulse asks again while anything is due."""
    with _answered(name, since, using) as how:
        run_policy(get_policy(name), how)


@db_task()
def media_task(since: str, using: str = DEFAULT_DB_ALIAS) -> None:
    """A slice of a pass over the media; the pulse asks again while any are due."""
    with _answered(MEDIA, since, using) as how:
        run_media(using, how)


@db_task()
def backfill_task(name: str, using: str = DEFAULT_DB_ALIAS) -> None:
    """A second of reading a table whose rows no trigger has seen; the pulse asks again."""
    try:
        read_slice(get_policy(name), using)
    except Exception:
        memory.of(using).failed(PREFIX + name)
        raise
    memory.of(using).answered(PREFIX + name)


@contextmanager
def _answered(name: str, since: str, using: str) -> Iterator[PassOptions]:
    """The options of a slice, of whose end the pulse is told."""
    start = datetime.fromisoformat(since)
    how = PassOptions(since=start, using=using, deadline=time.monotonic() + SLICE)
    try:
        yield how
    except Exception:
        memory.of(using).failed(name)
        raise
    memory.of(using).answered(name, left=start if how.is_over else None)
