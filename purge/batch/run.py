"""One batch: a short transaction that locks rows, evaluates them in a later statement, and acts.

Deletes people's data. While a single statement waits for a lock, PostgreSQL checks only the
locked row again; a hold or a child committed meanwhile is not seen. So rows are locked first and
everything is evaluated in a statement that begins after the locks are held. Order of locks, as in
every path of this package: the policy's lock (shared; a row of `lifecycle_lock`), agenda entries
(never waited for), rows in key order, last the policy's own row, which counts against the cap. A
wait for a row ends after 300 ms, before PostgreSQL looks for deadlocks, so no transaction of the
host is ever the victim.
"""

import time
from typing import Any

from django.db import OperationalError, transaction

from lifecycle.compiler.policy_sql import compiled
from lifecycle.db.connection import Answer, Query, fetch, fetch_each, set_local, statement
from lifecycle.policy.policy import Policy
from lifecycle.policy.purge_hours import is_open
from purge.batch import brakes, clock, failures, groups
from purge.batch.act import act
from purge.batch.alike import ask_once
from purge.batch.archived import is_archived
from purge.batch.at_once import end_alike
from purge.batch.cascade.ties import recall
from purge.batch.evaluate import evaluate, lock
from purge.batch.outcome import BOUNDS, Outcome
from purge.batch.savepoint import release
from purge.batch.state import Batch, stored_keys
from purge.batch.subjects import Subjects
from purge.exceptions import TiedMeanwhile
from purge.proof.gate import why_closed

BEGUN, RELEASED = Query("SAVEPOINT lifecycle_begun"), Query("RELEASE SAVEPOINT lifecycle_begun")
TAKEN_BACK = "ROLLBACK TO SAVEPOINT lifecycle_begun; RELEASE SAVEPOINT lifecycle_begun"
ENOUGH = 0.5  # seconds after which a batch in trouble lists its other rows for the next one


def begin(
    policy: Policy, using: str, run: int | None, dry: bool, any_hour: bool = False
) -> Batch | None:
    """The first statements of a batch; None while the policy may not act. Raises `Halt`."""
    try:
        ((rows, _),) = prepare(policy.name, using, brakes.ask_policy(policy, using))
    except OperationalError as error:
        if not failures.is_contended(error):
            raise
        brakes.warn_of_lock(policy.name, using)
        return None  # a pause or a hold is being written; the next pulse sees it
    brakes.forget_lock(policy.name, using)
    known = brakes.PolicyNow(*rows[0]) if rows else None
    if known is None or brakes.standing_of(policy, known, any_hour):
        return None
    if why_closed(using, files=is_archived(policy)):
        return None
    clock.check_clock(known.clock, policy.name, using)
    is_open_now = any_hour or is_open(policy, known.now)
    own = compiled(policy).state_sql  # never what is stored, which others may have written
    return Batch(policy, using, run, known.now, dry, is_open_now, own)


def prepare(policy: str, using: str, *then: Query) -> list[Answer]:
    """Share the lock that a pause or a hold on the policy waits for, and set the lock timeout;
    then ask.

    Raises `OperationalError` where one is being written; nothing of it is left then.
    """
    own = Query(statement(__file__, "prepare"), {"policy": policy})
    try:
        _, _, *answers, _ = fetch_each(using, BEGUN, own, *then, RELEASED)
        return answers
    except OperationalError:
        fetch(using, TAKEN_BACK)
        raise


def settle(batch: Batch) -> None:
    """Lock the rows of the source, end them, list what stays. Raises `Halt` and `TooMany`."""
    if locked := _locked(batch):
        if not batch.dry:  # a dry run deletes nothing, so nothing is asked again
            recall(batch, batch.policy.model._meta.concrete_model)
        evaluate_and_act(batch, locked)
    _finish(batch)


def _locked(batch: Batch) -> Subjects | None:
    """The rows of the source that could be locked, of which each has a key of its own."""
    asked = brakes.ask_shared_keys(batch)
    if batch.collect_keys:  # a choice ends nothing: what it finds is locked before it goes
        brakes.refuse_shared_keys(fetch(batch.using, *asked))
        return batch.source.subjects
    if not batch.source.subjects.count:
        return None
    locked, shared = lock(batch, batch.source.subjects, asked)
    brakes.refuse_shared_keys(shared.rows)  # or several rows would pass for those of the set
    return locked if locked.count else None


def _finish(batch: Batch) -> None:
    """Take off the agenda what is done with, and count; raises `Halt` where it is too much."""
    queries = [*release(batch), *batch.source.closing(), *recording(batch)]
    is_counted = bool(batch.outcome.fresh)
    if is_counted:
        queries += brakes.counting(batch)
    answers = fetch_each(batch.using, *queries) if queries else []
    if is_counted:
        brakes.refuse_too_many(batch, answers[-1].rows)


def evaluate_and_act(batch: Batch, subjects: Subjects) -> None:
    """Evaluate locked rows and act; rows on which that fails are found by halving."""
    before = batch.outcome.copy()
    try:
        if not end_alike(batch, subjects):
            with transaction.atomic(using=batch.using):
                verdicts = ask_once(batch, subjects) or evaluate(batch, subjects)
                groups.list_displaced(batch, verdicts)
                act(batch, verdicts)
        batch.progressed = True
    except TiedMeanwhile:  # from here on the tie is known
        batch.outcome = before
        evaluate_and_act(batch, subjects)
    except Exception as error:
        if not failures.is_of_one_row(error):
            raise
        batch.outcome = before
        if failures.is_contended(error):
            _wait_no_more(batch)
        _halve(batch, subjects, error)


def _wait_no_more(batch: Batch) -> None:
    """A transaction that waits for rows of this batch must not find it waiting a second later."""
    batch.contended = True
    set_local(batch.using, lock_timeout=batch.wait)


def _halve(batch: Batch, subjects: Subjects, error: Exception) -> None:
    keys = stored_keys(batch, subjects)
    if len(keys) == 1:
        batch.progressed = True
        failures.block(batch, subjects.written(keys), error)
    elif batch.progressed and time.monotonic() - batch.started > ENOUGH:
        failures.relist_later(batch, subjects.written(keys), error)
    else:
        for part in failures.halves(keys):
            evaluate_and_act(batch, subjects.written(part))


def recording(batch: Batch) -> list[Query]:
    """What counts that which the batch did in its run."""
    if not batch.run:
        return []
    return [count_in_run(batch.run, batch.policy.name, batch.now, batch.outcome)]


def count_in_run(run: int, policy: str, now: Any, outcome: Outcome) -> Query:
    """What adds to the counts of a run, and to the sums of a policy, that which a batch did.

    The run may be of several policies, as that of a replay is.
    """
    params = {"run": run, "policy": policy, "now": now, "bounds": BOUNDS}
    return Query(statement(__file__, "record"), params | outcome.counts())
