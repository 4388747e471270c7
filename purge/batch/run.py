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
from lifecycle.db.connection import fetch, set_local, statement
from lifecycle.policy.policy import Policy
from lifecycle.policy.purge_hours import is_open
from purge.batch import brakes, clock, failures
from purge.batch.act import act
from purge.batch.alike import ask_once
from purge.batch.archived import is_archived
from purge.batch.at_once import end_alike
from purge.batch.cascade.ties import recall
from purge.batch.evaluate import evaluate, lock
from purge.batch.outcome import Outcome
from purge.batch.state import Batch, stored_keys
from purge.batch.subjects import Subjects
from purge.exceptions import TiedMeanwhile
from purge.proof.gate import why_closed

ENOUGH = 0.5  # seconds after which a batch in trouble lists its other rows for the next one


def begin(
    policy: Policy, using: str, run: int | None, dry: bool, any_hour: bool = False
) -> Batch | None:
    """The first statements of a batch; None while the policy may not act. Raises `Halt`."""
    try:
        with transaction.atomic(using=using):
            prepare(policy.name, using)
    except OperationalError:
        brakes.warn_of_lock(policy.name, using)
        return None  # a pause or a hold is being written; the next pulse sees it
    brakes.forget_lock(policy.name, using)
    known = brakes.policy_now(policy, using)
    if known is None or brakes.standing_of(policy, known, any_hour):
        return None
    if why_closed(using, files=is_archived(policy)):
        return None
    clock.check_clock(known.clock, policy.name, using)
    is_open_now = any_hour or is_open(policy, known.now)
    own = compiled(policy).state_sql  # never what is stored, which others may have written
    return Batch(policy, using, run, known.now, dry, is_open_now, own)


def prepare(policy: str, using: str) -> None:
    """Share the lock that a pause or a hold on the policy waits for, and set the lock timeout.

    Raises `OperationalError` where one is being written; then the transaction is of no more use.
    """
    fetch(using, statement(__file__, "prepare"), {"policy": policy})


def settle(batch: Batch) -> None:
    """Lock the rows of the source, end them, list what stays. Raises `Halt` and `TooMany`."""
    # A choice for an archive ends nothing: what it finds is locked and evaluated before it goes.
    locked = batch.source.subjects if batch.collect_keys else lock(batch, batch.source.subjects)
    brakes.refuse_shared_keys(batch)  # or several rows would pass for those of the set
    if locked.count:
        if not batch.dry:  # a dry run deletes nothing, so nothing is asked again
            recall(batch, batch.policy.model._meta.concrete_model)
        evaluate_and_act(batch, locked)
    batch.source.close()
    brakes.count_against_cap(batch)
    record(batch)


def evaluate_and_act(batch: Batch, subjects: Subjects) -> None:
    """Evaluate locked rows and act; rows on which that fails are found by halving."""
    before = batch.outcome.copy()
    try:
        with transaction.atomic(using=batch.using):
            if not end_alike(batch, subjects):
                act(batch, ask_once(batch, subjects) or evaluate(batch, subjects))
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


def record(batch: Batch) -> None:
    """Count what the batch did in its run."""
    if batch.run:
        count_in_run(batch.using, batch.run, batch.now, batch.outcome)


def count_in_run(using: str, run: int, now: Any, outcome: Outcome) -> None:
    """Add what a batch did to the counts of its run."""
    params = {"run": run, "now": now, **outcome.counts()}
    fetch(using, statement(__file__, "record"), params)
