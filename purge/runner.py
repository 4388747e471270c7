"""One pass over what is due, policy by policy. The whole flow, on one page:

    due_policies    which policies have something due and may act
    keep            for policies that archive: write, put, read back
    check_cap       too much due: halt before the first row
    run_batch       lock, look, act; one short transaction, until nothing is due
    sweep           the same for rows of windows, which no entry lists
    run_media       then the files that no row shows any more
    halt            a brake was hit: stop the policy, tell people

A killed run leaves nothing half done: its open transaction is gone, what it settled is settled,
the rest is still on the agenda.
"""

import time
from collections.abc import Iterator
from typing import Any

from django.db import connections

from lifecycle.compiler.windows import is_windowed
from lifecycle.db.connection import scalar
from lifecycle.logs import Log
from lifecycle.policy.policy import Policy
from lifecycle.policy.registry import get_policy
from purge.archiving import close as closing
from purge.archiving import keep as keeping
from purge.batch import archived as gate
from purge.batch import outcome
from purge.batch.brakes import check_cap, standing
from purge.batch.clock_guard import check_clock
from purge.batch.outcome import Outcome
from purge.batch.override import Override
from purge.batch.state import BEGINNING
from purge.exceptions import ArchiveError, Halt, TooMany
from purge.media import run as media
from purge.models import Run
from purge.passes import pacing, runs
from purge.passes.due import due_policies
from purge.passes.halt import halt
from purge.passes.options import PassOptions
from purge.sources import requested as overriding
from purge.sources.agenda import run_batch
from purge.sources.windows import sweep

log = Log("purge")


def run_due(how: PassOptions | None = None) -> dict[str, Outcome]:
    """One batch of each policy in turn until nothing is due, so that none waits for another.

    Then the media, those of the rows that have just ended among them. An error of one policy stops
    that policy; it is logged, and raised when all others are done.
    """
    how = how or PassOptions()
    if how.since == BEGINNING and not how.dry:
        sweep.find_windows(how.using)
    waiting = {name: turns(get_policy(name), how) for name in due_policies(how.using, how.since)}
    done: dict[str, Outcome] = {}
    errors: list[Exception] = []
    while waiting:
        for name in list(waiting):
            try:
                done[name] = next(waiting[name])
            except StopIteration:
                del waiting[name]
            except Exception as error:
                log("run_failed", f"{name}: run failed", policy=name, database=how.using)
                errors.append(error)
                del waiting[name]
    files = media.run_media(how.using, how)
    if files.looked:
        done[outcome.MEDIA] = files
    if errors:
        raise errors[0]
    return done


def run_policy(policy: Policy, how: PassOptions | None = None) -> Outcome:
    """A pass over one policy."""
    outcome = Outcome()
    for outcome in turns(policy, how or PassOptions()):  # noqa: B007 - the last one holds all
        pass
    return outcome


def turns(policy: Policy, how: PassOptions) -> Any:
    """Run batch after batch; yields what is done so far after each."""
    total = Outcome(stopped=standing(policy, how.using, how.any_hour))
    if total.stopped:
        yield total
        return
    run = runs.start(policy.name, how)
    try:
        check_clock(scalar(how.using, "SELECT clock_timestamp()"), policy.name, how.using)
        for done in _batches(policy, how, run, total):
            total.add(done)
            yield total
    except Halt as error:
        halt(policy, error, how, run)
        total.stopped, total.halted = f"halted: {error}", True
        yield total
    except Exception as error:
        connections[how.using].close_if_unusable_or_obsolete()
        runs.finish(run, total, how, type(error).__name__)
        raise
    runs.finish(run, total, how)


def _batches(policy: Policy, how: PassOptions, run: Run, total: Outcome) -> Iterator[Outcome]:
    """First what people have asked for, then what is due; `total` is what was yielded before."""
    failed: ArchiveError | None = None
    for override in _overrides(policy, how):
        try:
            yield from _asked_batches(policy, how, run, total, override)
        except ArchiveError as error:
            failed = error  # it stays asked for; what is due is tombstoned all the same
        if how.is_full(total):
            return
    if not how.override:
        if not sweep.is_under_way(policy, how.using):
            check_cap(policy, how.using)
        batches = _archived_batches if _archives(policy, how) else _due_batches
        yield from batches(policy, how, run, total)
    if failed:
        raise failed


def _archives(policy: Policy, how: PassOptions) -> bool:
    return gate.is_archived(policy) and not how.dry


def _asked_batches(
    policy: Policy, how: PassOptions, run: Run, total: Outcome, override: Override
) -> Iterator[Outcome]:
    archives = _archives(policy, how)
    if archives and not keeping.keep(policy, how, run.pk, _next_batch, override):
        raise ArchiveError(f"Another worker is archiving rows of {policy.name}: try again.")
    for done in overriding.batches(policy, how, run.pk, override):
        yield done
        if how.is_full(total):
            return
    if archives:
        closing.settle(policy, how.using)


def _archived_batches(
    policy: Policy, how: PassOptions, run: Run, total: Outcome
) -> Iterator[Outcome]:
    """First into archives, and read back; where that fails, rows are tombstoned all the same."""
    failed = None
    try:
        if not keeping.keep(policy, how, run.pk, _next_batch):
            return
    except ArchiveError as error:
        failed = error
    yield from _due_batches(policy, how, run, total)
    if failed:
        raise failed
    if not how.is_over and not how.is_full(total):
        closing.settle(policy, how.using)


def _due_batches(policy: Policy, how: PassOptions, run: Run, total: Outcome) -> Iterator[Outcome]:
    while not how.is_over and not how.is_full(total):
        rows = min(
            pacing.rows_of(policy, how), how.limit - total.looked if how.limit else pacing.LARGEST
        )
        started = time.monotonic()
        try:
            done_now = _next_batch(policy, how, run.pk, rows)
        except TooMany:
            pacing.halve(policy, how.using, rows)
            continue
        if done_now is None:
            return
        pacing.resize(policy, how.using, time.monotonic() - started, done_now)
        yield done_now


def _next_batch(policy: Policy, how: PassOptions, run: int | None, rows: int) -> Outcome | None:
    """First the rows that are listed by their keys, then those of windows."""
    done = run_batch(
        policy, how.using, run, rows, how.since, how.seen, how.any_hour, how.collect_keys
    )
    if done is None and is_windowed(policy):
        return sweep.run_batch(policy, how, run, rows)
    return done


def _overrides(policy: Policy, how: PassOptions) -> list[Override]:
    if how.override:
        return [how.override]
    return [] if how.dry else overriding.pending(policy, how.using)
