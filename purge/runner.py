"""One pass over what is due, policy by policy. The whole flow, on one page:

    due_policies    which policies have something due and may act
    parts_of        what people have asked for, an override each; then what is due
    check_cap       too much due: halt before the first row
    archive_due     for policies that archive: write, put, read back
    run_batch       claim, lock, evaluate, act; one short transaction, until nothing is due
    run_media       then the files that no row shows any more
    halt            a brake was hit: stop the policy, tell people

A killed run leaves nothing half done: its open transaction is gone, what it settled is settled,
the rest is still on the agenda.
"""

import time
from collections.abc import Callable, Iterator
from functools import partial

from django.db import DatabaseError, transaction

from lifecycle import telemetry
from lifecycle.compiler.partitions import is_partitioned
from lifecycle.compiler.windows import is_windowed
from lifecycle.db.connection import own_transaction, scalar
from lifecycle.logs import Log
from lifecycle.policy.policy import Policy
from lifecycle.policy.registry import get_policy
from lifecycle.telemetry import span
from purge.archiving import due as archiving
from purge.batch import brakes, clock
from purge.batch.archived import is_archived
from purge.batch.outcome import MEDIA, Outcome
from purge.batch.run import begin, settle
from purge.batch.state import BEGINNING, Batch, Source
from purge.exceptions import ArchiveError, TooMany
from purge.media import run as media
from purge.models import Run
from purge.partitions import drop as partitions
from purge.passes import pacing, runs, throttle
from purge.passes.due import due_policies
from purge.passes.options import PassOptions
from purge.sources import agenda, planned, requested
from purge.sources.windows import sweep
from purge.unlisted import list_unlisted

Claim = Callable[[Batch, PassOptions, int], Source | None]

log = Log("purge")


def run_due(options: PassOptions | None = None) -> dict[str, Outcome]:
    """One batch of each policy in turn until nothing is due, so that none waits for another.

    Then the media, those of the rows that have just ended among them. An error of one policy stops
    that policy; it is logged, and raised when all others are done.
    """
    options = options or PassOptions()
    with span("pass", database=options.using):
        return _run_due(options)


def _run_due(options: PassOptions) -> dict[str, Outcome]:
    if options.since == BEGINNING and not options.dry:
        list_unlisted(options.using)
    names = due_policies(options.using, options.since)
    waiting = {name: turns(get_policy(name), options) for name in names}
    done: dict[str, Outcome] = {}
    errors: list[Exception] = []
    while waiting:
        for name in list(waiting):
            try:
                done[name] = next(waiting[name])
            except StopIteration:
                del waiting[name]
            except Exception as error:
                log("run_failed", f"{name}: run failed", policy=name, database=options.using)
                errors.append(error)
                del waiting[name]
    files = media.run_media(options.using, options)
    if files.looked:
        done[MEDIA] = files
    if errors:
        raise errors[0]
    return done


def run_policy(policy: Policy, options: PassOptions | None = None) -> Outcome:
    """A pass over one policy."""
    outcome, options = Outcome(), options or PassOptions()
    with span("pass", policy=policy.name, database=options.using):
        for outcome in turns(policy, options):  # noqa: B007 - the last one holds all
            pass
    return outcome


def turns(policy: Policy, options: PassOptions) -> Iterator[Outcome]:
    """Batch after batch until nothing is due; yields what is done so far after each."""
    total = Outcome(stopped=brakes.why_stopped(policy, options.using, options.any_hour))
    if total.stopped:
        yield total
        return
    with runs.recorded(policy, options, total) as run:  # a brake's `Halt` ends here
        now = scalar(options.using, "SELECT clock_timestamp()")
        clock.check_clock(now, policy.name, options.using)
        for done in _batches_of_parts(policy, options, run, total):
            total.add(done)
            yield total
    if total.halted:
        yield total


def parts_of(policy: Policy, options: PassOptions) -> list[PassOptions]:
    """What people have asked for, an override each, then what is due; as options of each part."""
    if options.override or options.plan:
        return [options]
    overrides = [] if options.dry else requested.pending(policy, options.using)
    return [*(requested.options_of(options, each) for each in overrides), options]


def _batches_of_parts(
    policy: Policy, options: PassOptions, run: Run, total: Outcome
) -> Iterator[Outcome]:
    """An archive that fails stops only its part: rows of an override stay asked for."""
    failed: ArchiveError | None = None
    for part in parts_of(policy, options):
        if options.is_full(total):
            break
        try:
            check_cap(policy, part)
            yield from _archived_batches(policy, part, run, total)
        except ArchiveError as error:
            failed = error
    if failed:
        raise failed


def check_cap(policy: Policy, options: PassOptions) -> None:
    """Raise `Halt` when more is due than the cap leaves: before the first row."""
    if options.plan:
        return  # asked before it was begun
    if options.override:
        requested.check_cap(policy, options.using, options.override)
    elif not sweep.is_under_way(policy, options.using):
        brakes.check_cap(policy, options.using)


def _archived_batches(
    policy: Policy, options: PassOptions, run: Run, total: Outcome
) -> Iterator[Outcome]:
    """First into archives, and read back; where that fails, what is due is tombstoned all the
    same, and an override waits."""
    failed: ArchiveError | None = None
    archives = is_archived(policy) and not options.dry
    try:
        if archives and not archiving.archive_due(
            policy, options, run.pk, next_batch, options.override
        ):
            if not options.override:
                return
            raise ArchiveError(f"Another worker is archiving rows of {policy.name}: try again.")
    except ArchiveError as error:
        if options.override:
            raise
        failed = error
    yield from _batches(policy, options, run, total)
    if failed:
        raise failed
    if archives and not options.is_over and not options.is_full(total):
        archiving.close_finished(policy, options.using)


def _batches(policy: Policy, options: PassOptions, run: Run, total: Outcome) -> Iterator[Outcome]:
    """Batch after batch of one part, each as large as the last ones were quick, and as soon after
    another as the database bears."""
    while not options.is_over and not options.is_full(total):
        if not throttle.may_begin(policy, options):
            return
        rows, started = pacing.rows_of(policy, options, total), time.monotonic()
        try:
            if is_partitioned(policy):
                done = partitions.drop_next(policy, options, run.pk, options.left(total))
            else:
                done = next_batch(policy, options, run.pk, rows)
        except TooMany:
            pacing.halve(policy, options.using, rows)
            continue
        except DatabaseError as error:
            if is_partitioned(policy):
                raise
            pacing.shorten(error, policy, options.using, rows)
            continue
        if done is None:
            return
        took = time.monotonic() - started
        pacing.resize(policy, options.using, took, done)
        smallest = rows <= pacing.SMALLEST
        throttle.note_batch(policy, options.using, done.looked, took, smallest)
        yield done


def next_batch(policy: Policy, options: PassOptions, run: int | None, rows: int) -> Outcome | None:
    """The next batch of a plan or an override; or first the rows that are listed by their keys,
    then those of windows. None when nothing is due."""
    claims: list[Claim] = [agenda.claim]
    if options.plan:
        claims = [partial(planned.claim, options.plan)]
    elif options.override:
        claims = [partial(requested.claim, options.override)]
    elif is_windowed(policy):
        claims.append(sweep.claim)
    return run_batch(partial(_claim_first, claims), policy, options, run, rows)


def _claim_first(
    claims: list[Claim], batch: Batch, options: PassOptions, rows: int
) -> Source | None:
    """Of the first of several sources that has something due: the others are not asked."""
    found = (claim(batch, options, rows) for claim in claims)
    return next((source for source in found if source is not None), None)


def run_batch(
    claim: Claim, policy: Policy, options: PassOptions, run: int | None, rows: int
) -> Outcome | None:
    """Claim rows, lock them, evaluate them in a later statement, act; in one short transaction.

    None when nothing is due, or the policy may not act. Raises what brakes raise, and `TooMany`;
    then it has changed nothing. A dry run is taken back.
    """
    with telemetry.batch(policy.name, options.using) as committed:
        done = _batch(claim, policy, options, run, rows)
        if done and not options.dry:
            committed(**done.counts())
    return done


def _batch(
    claim: Claim, policy: Policy, options: PassOptions, run: int | None, rows: int
) -> Outcome | None:
    with brakes.halting_where_rows_are_hidden(), own_transaction(options.using):
        batch = begin(policy, options.using, run, options.dry, options.any_hour)
        source = claim(batch, options, rows) if batch else None
        if batch is None or source is None:
            return None
        batch.source, batch.collect_keys = source, options.collect_keys
        batch.most = None if options.dry else policy.batch_rows
        settle(batch)
        transaction.set_rollback(options.dry, using=options.using)
    source.committed()  # only what has committed counts
    return batch.outcome
