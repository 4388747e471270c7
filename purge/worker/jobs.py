"""Huey's tasks: each does a slice of what is due of one name. Arguments are names and times."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import DEFAULT_DB_ALIAS
from huey.contrib.djhuey import db_task

from lifecycle.ledger.pending import move_for
from lifecycle.logs import without_values
from lifecycle.policy.registry import get_policy
from purge.batch.outcome import MEDIA
from purge.media.run import run_media
from purge.passes.options import PassOptions
from purge.plans.carry_out import carry_out
from purge.rewriting.work import erase_in_archives
from purge.runner import run_policy
from purge.worker import memory
from purge.worker.backfill import PREFIX, read_slice

PLAN = "plan "  # before a plan's number, in `purge.worker.memory`
IN_ARCHIVES = "in archives"  # the name of erasures in archives there
PENDING = "pending"  # that of the pending list there
SLICE = 1.0  # seconds; then the worker is free for what else is in the queue


@db_task()
def run_policy_task(name: str, since: str, using: str = DEFAULT_DB_ALIAS) -> None:
    """A slice of a pass over one policy; the pulse sends another wake-up while anything is due."""
    with _slice(name, since, using) as options:
        run_policy(get_policy(name), options)


@db_task()
def media_task(since: str, using: str = DEFAULT_DB_ALIAS) -> None:
    """A slice of a pass over the media; the pulse sends another wake-up while any are due."""
    with _slice(MEDIA, since, using) as options:
        run_media(using, options)


@db_task()
def backfill_task(name: str, using: str = DEFAULT_DB_ALIAS) -> None:
    """A second of reading a table whose rows no trigger has seen; the pulse wakes it again."""
    try:
        read_slice(get_policy(name), using)
    except Exception as error:
        memory.of(using).back_off(PREFIX + name)
        raise without_values(error) from None  # Huey logs what it is
    memory.of(using).reset(PREFIX + name)


@db_task()
def plan_task(number: int, using: str = DEFAULT_DB_ALIAS) -> None:
    """A slice of carrying out a plan; the pulse wakes it again until it is done."""
    name = f"{PLAN}{number}"
    try:
        carry_out(number, using, time.monotonic() + SLICE)
    except Exception as error:
        memory.of(using).back_off(name)
        raise without_values(error) from None
    memory.of(using).reset(name)


@db_task()
def archives_task(using: str = DEFAULT_DB_ALIAS) -> None:
    """A slice of rewriting archives without rows of erased ones; goes on after what else is in the
    queue, where its time was over. The heartbeat wakes it again."""
    deadline = time.monotonic() + SLICE
    try:
        erase_in_archives(using, deadline)
    except Exception as error:
        memory.of(using).back_off(IN_ARCHIVES)
        raise without_values(error) from None
    memory.of(using).reset(IN_ARCHIVES)
    if time.monotonic() >= deadline:  # there may be more that can be done now
        archives_task(using)


def wake_for_archives(using: str) -> None:
    """Have a worker rewrite archives, unless one was just asked to, or it has just failed."""
    if memory.of(using).may_wake(IN_ARCHIVES):
        memory.of(using).note_sent(IN_ARCHIVES)
        archives_task(using)


@db_task()
def pending_task(using: str = DEFAULT_DB_ALIAS) -> None:
    """Move what is pending, where the pulse has seen that many rows were written."""
    move_slice(using)


def move_slice(using: str) -> None:
    """Move what is pending for a second; a worker goes on after what else is in the queue, where
    there is more."""
    more = move_for(using, SLICE)
    memory.of(using).reset(PENDING)
    if more:
        wake_for_pending(using)


def wake_for_pending(using: str) -> None:
    """Have a worker move what is pending, unless one was just asked to."""
    if memory.of(using).may_wake(PENDING):
        memory.of(using).note_sent(PENDING)
        pending_task(using)


@contextmanager
def _slice(name: str, since: str, using: str) -> Iterator[PassOptions]:
    """The options of a slice; its end or failure is noted in this process's memory."""
    start = datetime.fromisoformat(since)
    options = PassOptions(since=start, using=using, deadline=time.monotonic() + SLICE)
    try:
        yield options
    except Exception as error:
        memory.of(using).back_off(name)
        raise without_values(error) from None
    left = start if options.is_over or options.slowed else None
    memory.of(using).reset(name, left_since=left, at_once=not options.slowed)
