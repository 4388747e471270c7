"""Erasure on request: one row ends now, by a person's name, and a receipt says what became of it.

Everything is one transaction, the caller's where there is one: an erasure that is refused has
changed nothing. The row is locked first, with patience; what goes along is waited for less long
than PostgreSQL waits before it looks for deadlocks: no transaction of the host is the victim.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.db import OperationalError, connections, transaction
from django.db.models import Model

from lifecycle.compiler.keys import stored_key
from lifecycle.compiler.policy_sql import compiled, locked_tables
from lifecycle.db.connection import READ_COMMITTED, Raw, fetch, local_settings, scalar, set_local
from lifecycle.db.literals import array_text
from lifecycle.db.routing import home_of
from lifecycle.exceptions import ConditionNotMet, LifecycleError, RowMissing
from lifecycle.ledger.context import context, said
from lifecycle.ledger.row_names import row_name
from lifecycle.ledger.write import refuse_unnamed
from lifecycle.models import RowException
from lifecycle.policy.dispositions import Update
from lifecycle.policy.policy import Policy
from purge.batch import act as rows
from purge.batch import brakes, failures
from purge.batch.cascade.delete import look_along
from purge.batch.look import look
from purge.batch.override import NONE, seconds
from purge.batch.run import begin, record
from purge.batch.state import STUBBORN, Batch
from purge.batch.subjects import Subjects
from purge.erasure.receipt import Receipt, receipts, would_be
from purge.erasure.refusals import check, policy_for, refuse_held, why
from purge.erasure.run import finish_run, start_run, tell
from purge.exceptions import ErasureRefused, HeldBelow
from purge.sources.agenda import AgendaEntries

ROW_WAIT, OTHERS_WAIT = "10s", "300ms"


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
    return erase_key(model, stored_key(obj), reference, grace, policy, actor, dry_run, using)


def erase_key(
    model: type[Model], key: Any, reference: str, grace: timedelta | None, policy: str | None,
    actor: str, dry_run: bool, using: str,
) -> Receipt:  # fmt: skip
    """As `erase`, of a row by its key, which need not be there any more."""
    refuse_unnamed(model)
    chosen = policy_for(model, policy)
    actor = actor or said("actor", using)
    check(chosen, reference, grace, actor)
    outer = connections[using].in_atomic_block
    with transaction.atomic(using=using):
        if not outer:
            fetch(using, READ_COMMITTED)
        with context(actor, said("cause", using), using), local_settings(using, lock_timeout=None):
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
    is_there, key = locked is not None, locked or key
    before = _before(batch, key, reference)
    if before and _stands(before, is_there, grace):
        return before
    if not is_there:
        raise RowMissing(f"{_name(policy, key)} is not in the database.")
    refuse_held(using, policy.model, [key], batch.now)
    _refuse_second(batch, key, grace)
    event = _ask(batch, key, reference, grace)
    _end(batch, event, key)
    if dry:
        return would_be(batch, reference, event)
    (receipt,) = [each for each in receipts(reference, using) if each.erasure == event]
    return receipt


def _begin(policy: Policy, using: str, dry: bool) -> Batch:
    """A batch of one row; the run that names it is there when it is needed."""
    batch = begin(policy, using, None, dry, any_hour=True)
    if batch is None:
        stopped = brakes.standing(policy, using, any_hour=True)
        if stopped == "held":
            refuse_held(using, policy.model, [], None)
        raise LifecycleError(f"{policy.name} is {stopped or 'being paused or held'}: nothing ends.")
    return batch


def _lock(batch: Batch, key: str) -> str | None:
    """Lock the row; whoever has it is waited for, and what they commit is seen afterwards.

    Returns its key as the ledger writes it, None where there is no such row.
    """
    text = batch.sql(__file__, "erase_lock", tables=Raw(locked_tables(batch.policy)))
    set_local(batch.using, lock_timeout=ROW_WAIT)
    try:
        with transaction.atomic(using=batch.using):
            found = fetch(batch.using, text, {"key": key})
    except OperationalError as error:
        message = f"Somebody else is writing {_name(batch.policy, key)}: try again."
        raise ErasureRefused(message) from error
    set_local(batch.using, lock_timeout=OTHERS_WAIT)
    batch.now = scalar(batch.using, "SELECT lifecycle.now_v1()")
    return str(found[0][0]) if found else None


def _before(batch: Batch, key: str, reference: str) -> Receipt | None:
    """The receipt of the same request, unless it was withdrawn since."""
    name = _name(batch.policy, key)
    told = [each for each in receipts(reference, batch.using) if each.row == name]
    told = [each for each in told if each.state != "withdrawn"]
    return told[-1] if told else None


def _stands(before: Receipt, is_there: bool, grace: timedelta | None) -> bool:
    """Whether an earlier receipt answers the request: not for a new row under an old key, nor
    where the rest of the grace is now to be skipped."""
    if is_there and before.state in ("purged", "deleted"):
        return False
    return not is_there or before.is_done or grace is None or grace > NONE


def _refuse_second(batch: Batch, key: str, grace: timedelta | None) -> None:
    """A second grace would begin anew, and so end the row later."""
    known = RowException.objects.using(batch.using).filter(policy=batch.policy.name, key=key)
    earlier = known.filter(kind="expired_by_hand").order_by("event_id").first()
    own = batch.policy.grace if grace is None else grace
    if earlier and own != NONE:
        raise ErasureRefused(
            f"{_name(batch.policy, key)} was expired by hand already (event {earlier.event_id}) and"
            " ends after its grace. A grace of zero ends it now."
        )


def _ask(batch: Batch, key: str, reference: str, grace: timedelta | None) -> int:
    """Tell the ledger who asked for it; an `Update` is due after its grace."""
    detail: dict[str, Any] = {"reference": reference}
    policy = batch.policy
    wait: Any = NONE
    if grace is not None:
        detail["grace"] = seconds(grace)
    if isinstance(policy.disposition, Update):
        wait = policy.grace if grace is None else grace
    subject = Subjects(compiled(policy).key, 1, keys=array_text([key]))
    event = batch.write("expired_by_hand", subject, batch.now + wait, **detail)
    batch.told = {"reference": reference, "erasure": event}
    batch.now = scalar(batch.using, "SELECT lifecycle.now_v1()")
    return event


def _end(batch: Batch, event: int, key: str) -> None:
    batch.source = AgendaEntries(
        batch, [(event, 1, STUBBORN, None, None, event, None, None, False, None)]
    )
    (verdict,) = look(batch, batch.source.subjects)
    _refuse_what_stays(batch.policy, key, verdict.name)
    start_run(batch)
    try:
        with transaction.atomic(using=batch.using):
            _look_along(batch)
            with _skipping_grace(batch, verdict.name == "end"):
                rows.act(batch, [verdict])
    except Exception as error:
        if not failures.is_of_one_row(error):
            raise
        if isinstance(error, HeldBelow):
            held = [stored_key(row) for row in error.held]
            refuse_held(batch.using, type(error.held[0]), held, batch.now)
        raise ErasureRefused(f"{_name(batch.policy, key)} cannot go: {why(error)}.") from error
    batch.source.close()
    brakes.count(batch)
    record(batch)
    finish_run(batch)
    tell(batch, event)


def _refuse_what_stays(policy: Policy, key: str, verdict: str) -> None:
    if verdict == "held":
        raise ErasureRefused(f"{_name(policy, key)} is held.")
    if verdict == "kept":
        raise ErasureRefused(f"{_name(policy, key)} is kept by `keep_while` of its policy.")
    if verdict == "free":
        raise ConditionNotMet(f"{_name(policy, key)} does not match `when` of {policy.name!r}.")


def _look_along(batch: Batch) -> None:
    """Find what would keep the row also where it goes only after a grace."""
    model: Any = batch.policy.model._meta.concrete_model
    if not isinstance(batch.policy.disposition, Update):
        look_along(batch, model, batch.source.subjects)


@contextmanager
def _skipping_grace(batch: Batch, skips: bool) -> Iterator[None]:
    batch.told |= {"grace_skipped": True} if skips else {}
    yield
    batch.told.pop("grace_skipped", None)


def _name(policy: Policy, key: str) -> str:
    return row_name(policy.model, key)
