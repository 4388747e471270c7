"""Erasure on request: one row ends now, by a person's name, and a receipt says what became of it.

Everything is one transaction, the caller's where there is one: an erasure that is refused has
changed nothing. The row is locked first, with patience; what goes along is waited for less long
than PostgreSQL waits before it looks for deadlocks: no transaction of the host is the victim.
"""

from datetime import timedelta
from typing import Any

from django.db import OperationalError, connections, transaction
from django.db.models import Model

from lifecycle.compiler.keys import key_text
from lifecycle.compiler.row_tables import locked_tables
from lifecycle.db.connection import (
    READ_COMMITTED,
    Placed,
    Raw,
    fetch,
    fetch_each,
    local_settings,
    scalar,
    set_local,
)
from lifecycle.db.rows import home_of
from lifecycle.db.sql import array_text
from lifecycle.exceptions import LifecycleError, RowMissing
from lifecycle.ledger.context import context, in_context
from lifecycle.ledger.row_names import ledger_key, row_name
from lifecycle.ledger.write import refuse_singly
from lifecycle.logs import Log
from lifecycle.phrases import phrase
from lifecycle.policy.dispositions import Update
from lifecycle.policy.policy import Policy
from purge.batch import brakes, failures
from purge.batch.act import act
from purge.batch.cascade.delete import lock_along
from purge.batch.evaluate import evaluate
from purge.batch.run import begin, recording
from purge.batch.state import STUBBORN, Batch
from purge.erasure import archived
from purge.erasure.receipt import Receipt, earlier, receipts, would_be
from purge.erasure.refusals import (
    cannot_go,
    check,
    policy_for,
    refuse_held,
    refuse_second,
    refuse_what_stays,
    stopped,
)
from purge.exceptions import ErasureRefused, HeldBelow
from purge.models import Run
from purge.passes.override import NONE, seconds
from purge.sources.agenda import AgendaEntries, ClaimedEntries

ROW_WAIT, OTHERS_WAIT = "10s", "300ms"

log = Log("purge")


def erase(
    obj: Model, reference: str, grace: timedelta | None = None, policy: str | None = None,
    actor: str = "", dry_run: bool = False, using: str | None = None,
) -> Receipt:  # fmt: skip
    """End a row on request and return the receipt; again, for a row that is gone.

    Wants a policy on the model with `on_request=True`, and an actor: `actor`, or that of
    `lifecycle.context`. The row ends as the policy says, deleted or changed. With a grace (the
    policy's, where `grace` is left out; a longer one is refused) it is tombstoned now and the
    worker ends it afterwards; without one it ends before this returns, also outside purge hours.

    Raises `ErasureRefused`, a `LifecycleError`, and changes nothing, when the row, something that
    goes with it or the policy is held (the message says by which hold), and when PROTECT or a
    foreign key keeps it. With `dry_run` everything is done up to the end and taken back.
    """
    model: Any = obj._meta.concrete_model
    using = using or home_of(obj)
    return erase_key(
        model, key_text(model, obj.pk), reference, grace, policy, actor, dry_run, using
    )


def erase_key(
    model: type[Model], key: Any, reference: str, grace: timedelta | None, policy: str | None,
    actor: str, dry_run: bool, using: str,
) -> Receipt:  # fmt: skip
    """As `erase`, of a row by its key, which need not be there any more."""
    refuse_singly(model)
    chosen = policy_for(model, policy)
    actor = actor or in_context("actor", using)
    check(chosen, reference, grace, actor)
    outer = connections[using].in_atomic_block
    with transaction.atomic(using=using):
        if not outer:
            fetch(using, READ_COMMITTED)
        with (
            context(actor, in_context("cause", using), using),
            local_settings(using, lock_timeout=None),
        ):
            receipt = _erase(chosen, str(key), reference, grace, using, dry_run)
        if outer:
            fetch(using, "SET CONSTRAINTS ALL DEFERRED")  # as Django has them
        if dry_run:
            transaction.set_rollback(True, using=using)
    return receipt


def _erase(
    policy: Policy, key: str, reference: str, grace: timedelta | None, using: str, dry: bool
) -> Receipt:
    batch = _begin(policy, using, dry)
    locked = _lock(batch, key)
    is_there = locked is not None
    key = ledger_key(policy.model, key, using) if locked is None else locked
    before = earlier(_name(policy, key), reference, using)
    if before and before.answers(is_there, grace):
        return before
    if not is_there:
        raise RowMissing(phrase("%(row)s is not in the database.", row=_name(policy, key)))
    refuse_held(using, policy.model, [key], batch.now)
    refuse_second(policy, key, grace, using)
    event = _ask(batch, key, reference, grace)
    archived.ask(policy.model, event, reference, using)
    _end(batch, event, key)
    if dry:
        return would_be(batch, reference, event)
    (receipt,) = [each for each in receipts(reference, using) if each.erasure == event]
    return receipt


def _begin(policy: Policy, using: str, dry: bool) -> Batch:
    """A batch of one row; the run that names it is there when it is needed."""
    batch = begin(policy, using, None, dry, any_hour=True)
    if batch is None:
        if brakes.standing(policy, using, any_hour=True) is brakes.PolicyStanding.HELD:
            refuse_held(using, policy.model, [], None)
        raise LifecycleError(stopped(policy, brakes.why_stopped(policy, using, any_hour=True)))
    return batch


def _lock(batch: Batch, key: str) -> str | None:
    """Lock the row; whoever has it is waited for, and what they commit is seen afterwards.

    Returns its key as the ledger writes it, None where there is no such row.
    """
    parts = {"tables": Raw(locked_tables(batch.policy))}
    parts["given"] = Placed(batch.code.key.typed("%(key)s"))
    text = batch.sql(__file__, "lock", **parts)
    set_local(batch.using, lock_timeout=ROW_WAIT)
    try:
        with transaction.atomic(using=batch.using):
            rows = fetch(batch.using, text, {"key": key})
    except OperationalError as error:
        message = phrase(
            "Somebody else is writing %(row)s: try again.", row=_name(batch.policy, key)
        )
        raise ErasureRefused(message) from error
    set_local(batch.using, lock_timeout=OTHERS_WAIT)
    batch.now = scalar(batch.using, "SELECT lifecycle.now_v1()")
    return str(rows[0][0]) if rows else None


def _ask(batch: Batch, key: str, reference: str, grace: timedelta | None) -> int:
    """Record who has asked for it, and return the event; an `Update` is due after its grace."""
    detail: dict[str, Any] = {"reference": reference}
    policy = batch.policy
    wait: Any = NONE
    if grace is not None:
        detail["grace"] = seconds(grace)
    if isinstance(policy.disposition, Update):
        wait = policy.grace if grace is None else grace
    subject = batch.keys(1, array_text([key]))
    event = batch.write("expired_by_hand", subject, batch.now + wait, **detail)
    batch.erasure, batch.detail = event, {"reference": reference, "erasure": event}
    batch.now = scalar(batch.using, "SELECT lifecycle.now_v1()")
    return event


def _end(batch: Batch, event: int, key: str) -> None:
    batch.source = AgendaEntries(
        batch, [ClaimedEntries(f"{{{event}}}", 1, 1, STUBBORN, owner=event)]
    )
    (verdict,) = evaluate(batch, batch.source.subjects)
    refuse_what_stays(batch.policy, key, verdict.name)
    _start_run(batch)
    batch.grace_skipped = verdict.name == "end"
    try:
        with transaction.atomic(using=batch.using):
            _lock_along(batch)
            act(batch, [verdict])
    except Exception as error:
        if not failures.is_of_one_row(error):
            raise
        if isinstance(error, HeldBelow):
            first = type(error.held[0])
            held = [ledger_key(first, key_text(first, row.pk), batch.using) for row in error.held]
            refuse_held(batch.using, first, held, batch.now)
        raise ErasureRefused(cannot_go(_name(batch.policy, key), error)) from error
    last = (*batch.source.closing(), *recording(batch), *brakes.counting(batch))
    fetch_each(batch.using, *last)  # a person has asked for it: it counts, and no cap stops it
    _finish_run(batch)
    _log(batch, event)


def _lock_along(batch: Batch) -> None:
    """Find what would keep the row also where it goes only after a grace."""
    model: Any = batch.policy.model._meta.concrete_model
    if not isinstance(batch.policy.disposition, Update):
        lock_along(batch, model, batch.source.subjects)


def _start_run(batch: Batch) -> None:
    """A run of its own, in the erasure's transaction: what is refused leaves none."""
    if not batch.dry:
        run = Run(policy=batch.policy.name, started_at=batch.now, last_batch_at=batch.now)
        run.origin, run.actor = "erase", in_context("actor", batch.using)
        run.save(using=batch.using)
        batch.run = run.pk


def _finish_run(batch: Batch) -> None:
    if batch.run:
        Run.objects.using(batch.using).filter(pk=batch.run).update(finished_at=batch.now)


def _log(batch: Batch, event: int) -> None:
    """A line in the log when it is committed, without the reference and the key."""
    named = {"policy": batch.policy.name, "database": batch.using, "run": batch.run}
    named |= {"model": batch.label, "event": event}
    if not batch.dry:
        text = f"{batch.policy.name}: erased on request, event {event}"
        transaction.on_commit(lambda: log("erased", text, **named), using=batch.using)


def _name(policy: Policy, key: str) -> str:
    return row_name(policy.model, key)
