"""Ending the rows of a partition by dropping it.

Destroys people's data. One short transaction, in this order: the policy's lock, as in every batch;
the one by which a single worker does this; the entries of the partition; the partition, so that
nobody writes into it or holds a row of it; a later statement looks at all of its rows; they are
counted against the cap, and the entry settled; last of all `lifecycle.drop_partition_v1`, which
verifies by itself, records the rows as purged and drops. Only from then until the commit does
anything else that the site does with the table wait.
A lock that is not given within 300 ms, of the table 100 ms, is given up: the host does not lose.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError, transaction

from lifecycle import signals, telemetry
from lifecycle.db.connection import (
    fetch,
    fetch_each,
    own_transaction,
    scalar,
    set_local,
    statement,
    was_stopped,
)
from lifecycle.db.policy_lock import archive_lock_name
from lifecycle.ledger.partitions_due import Found, list_partitions, look_at, partitioned_at
from lifecycle.logs import Log
from lifecycle.policy.partitions import why_unfit
from lifecycle.policy.policy import Policy
from lifecycle.policy.purge_hours import closes_at
from purge.back_off import back_off
from purge.batch import brakes, failures
from purge.batch.brakes import PolicyStanding
from purge.batch.outcome import Outcome
from purge.batch.run import begin, recording
from purge.batch.state import Batch, latest_event, send
from purge.partitions.claim import ClaimedPartition, claim
from purge.passes.options import PassOptions
from purge.sources.agenda import FIRST_WAIT, LONGEST_WAIT

LONGEST_BLOCK = timedelta(hours=1)
STANDS = timedelta(minutes=59)  # how long what was decided may be old when it is dropped
SHORT_WAIT = "100ms"  # for the lock on the whole table, behind which all others would wait

log = Log("purge")


class Stays(Exception):
    """The partition stays; what was done so far is taken back."""

    def __init__(self, why: str, rows: int = 0) -> None:
        super().__init__(why)
        self.why, self.rows = why, rows


def find_partitions(using: str) -> None:
    """Put partitions on the agenda that are over, of policies that may act or that observe.

    An error of one policy is logged, and keeps no other from its partitions.
    """
    for policy in partitioned_at(using):
        found = brakes.standing(policy, using, any_hour=True)
        if found in (PolicyStanding.ACTS, PolicyStanding.OBSERVES):
            try:
                with transaction.atomic(using=using):
                    list_partitions(policy, using)
            except DatabaseError:
                text = f"{policy.name}: its partitions cannot be listed"
                log("run_failed", text, policy=policy.name, database=using)


def drop_next(
    policy: Policy, options: PassOptions, run: int | None, left: int | None
) -> Outcome | None:
    """Drop the partition that is due first, or list it again; None when nothing is due.

    `left`: a partition of more rows is left for a pass that may end as many. A dry run is taken
    back. Raises what brakes raise; then nothing has changed.
    """
    with telemetry.batch(policy.name, options.using) as committed:
        done = _in_transaction(policy, options, run, left)
        if done and not options.dry:
            committed(**done.counts())
    return done


def _in_transaction(
    policy: Policy, options: PassOptions, run: int | None, left: int | None
) -> Outcome | None:
    with brakes.halting_where_rows_are_hidden(), own_transaction(options.using):
        batch = begin(policy, options.using, run, options.dry, options.any_hour)
        if batch is None or not batch.open or not _is_alone(batch):
            return None
        claimed = claim(batch, options.seen or [])
        if claimed is None:
            return None
        ended = _end(batch, claimed, options, left)
        transaction.set_rollback(options.dry, using=options.using)
    if options.seen is not None:
        options.seen.extend(claimed.entries)
    return batch.outcome if ended else None


def _is_alone(batch: Batch) -> bool:
    """Whether no other worker drops partitions of the policy now; none does until the transaction
    ends. Two that look at rows of one table keep each other from its lock, again and again."""
    name = archive_lock_name(batch.policy.name)
    return bool(scalar(batch.using, statement(__file__, "alone"), {"name": name}))


def _end(batch: Batch, claimed: ClaimedPartition, options: PassOptions, left: int | None) -> bool:
    """Whether something was done: dropped, or listed again."""
    try:
        with transaction.atomic(using=batch.using):
            _drop(batch, claimed, options, left)
    except Stays as found:
        batch.outcome = Outcome(looked=found.rows)
        return _stay(batch, claimed, found)
    except DatabaseError as error:
        if not (failures.is_of_one_row(error) or was_stopped(error)):
            raise
        batch.outcome = Outcome()
        _fail(batch, claimed, error)
    return True


def _drop(batch: Batch, claimed: ClaimedPartition, options: PassOptions, left: int | None) -> None:
    if claimed.until is None:
        fetch(batch.using, *claimed.settling(batch))
        list_partitions(batch.policy, batch.using)  # those that waited for a hold are due again
        return
    if why_unfit(batch.policy):
        raise Stays("unfit")
    found = _look(batch, claimed)
    if found.stays:
        raise Stays("held" if found.held else "kept" if found.kept else "left_out", found.rows)
    if left is not None and found.rows > left:
        raise Stays("limit")
    before = _last_moment(batch, options)
    _count(batch, claimed, found)
    if not batch.dry:
        _drop_it(batch, claimed, found, before)


def _last_moment(batch: Batch, options: PassOptions) -> datetime:
    """Until when it may be dropped by what is known now, after a look that may have taken long:
    within the policy's hours, and before the rows, counted in this hour, leave the cap early."""
    batch.now = scalar(batch.using, statement(__file__, "clock"))
    closing = None if options.any_hour else closes_at(batch.policy, batch.now)
    before = min(filter(None, (closing, batch.now + STANDS)))
    if before <= batch.now:
        raise Stays("late")
    return before


def _look(batch: Batch, claimed: ClaimedPartition) -> Found:
    """Lock the partition; then, in later statements, look at its rows."""
    text, params = statement(__file__, "take"), {"policy": batch.policy.name}
    ((name, low, high, problem),) = fetch(batch.using, text, params | {"until": claimed.until})
    if problem:
        raise Stays(problem)
    claimed.name = name
    return look_at(batch.policy, low, high, batch.using)


def _count(batch: Batch, claimed: ClaimedPartition, found: Found) -> None:
    """Settle the entries, and count: in the run, and against the cap, which may halt the policy."""
    batch.outcome.looked = batch.outcome.fresh = batch.outcome.purged = found.rows
    batch.outcome.sample = (claimed.name,) if batch.dry else ()
    queries = [claimed.settling(batch), *recording(batch)]
    if found.rows:
        queries += brakes.counting(batch)
    answers = fetch_each(batch.using, *queries)
    if found.rows:
        brakes.refuse_too_many(batch, answers[-1].rows)
    set_local(batch.using, lock_timeout=SHORT_WAIT)


def _drop_it(batch: Batch, claimed: ClaimedPartition, found: Found, before: datetime) -> None:
    latest = latest_event(batch.using)
    params: dict[str, Any] = {"policy": batch.policy.name, "until": claimed.until}
    params |= {"rows": found.rows, "run": batch.run, "before": before}
    if problem := scalar(batch.using, statement(__file__, "drop"), params):
        raise Stays(problem, found.rows)
    if found.rows and signals.purged.has_listeners(batch.policy.model):
        rows = fetch(batch.using, statement(__file__, "events"), params | {"before": latest})
        send(batch, signals.purged, [event for (event,) in rows], found.rows)


def _stay(batch: Batch, claimed: ClaimedPartition, found: Stays) -> bool:
    """List it again, and say why; a partition that is gone leaves the agenda."""
    rows = max(found.rows, 1)
    if found.why == "limit":
        return False
    if found.why == "gone":
        fetch(batch.using, *claimed.settling(batch))
    elif found.why == "held":
        claimed.relist(batch, rows, batch.policy.recheck, relisted="held")
        batch.outcome.held += rows
    elif found.why == "kept":
        claimed.relist(batch, rows, batch.policy.recheck, kind="kept")
        batch.outcome.kept += rows
    elif found.why in ("changed", "not_due", "stopped"):
        _again(batch, claimed, rows)
    else:
        _block(batch, claimed, rows, error=found.why)
    _record(batch)
    return True


def _fail(batch: Batch, claimed: ClaimedPartition, error: Exception) -> None:
    if failures.is_contended(error):
        _again(batch, claimed, 1)
    elif was_stopped(error):
        _block(batch, claimed, 1, error="timeout")
    else:
        _block(batch, claimed, 1, **failures.reason(error))
    _record(batch)


def _again(batch: Batch, claimed: ClaimedPartition, rows: int) -> None:
    wait = back_off(FIRST_WAIT, LONGEST_WAIT, claimed.attempts)
    claimed.relist(batch, rows, wait, relisted="locked", attempts=claimed.attempts + 1)
    batch.outcome.locked += rows


def _block(batch: Batch, claimed: ClaimedPartition, rows: int, **reason: Any) -> None:
    # The catalogue is quickly asked; all rows of a partition are not.
    longest = failures.LONGEST_BLOCK if reason["error"] == "left_out" else LONGEST_BLOCK
    wait = back_off(failures.SHORTEST_BLOCK, longest, claimed.attempts)
    claimed.relist(batch, rows, wait, "blocked", attempts=claimed.attempts + 1, **reason)
    batch.outcome.blocked += rows


def _record(batch: Batch) -> None:
    for query in recording(batch):
        fetch(batch.using, *query)
