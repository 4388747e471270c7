"""Holds: nothing ends a held row, whatever any policy says, also not by cascade.

Each hold locks its rows before it writes, so that it cannot pass a purge that is looking at them:
either the purge comes first and a row is gone, or it sees the hold. Each is an event with its
actor (see `lifecycle.context`), in the caller's transaction.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, DatabaseError, transaction
from django.db.models import Model, QuerySet
from psycopg.types.json import Jsonb

from lifecycle.compiler.keys import key_of, key_text, label_of, label_of_model, subjects_of
from lifecycle.db.connection import NO_DATA_FOUND, Placed, fetch, scalar, sqlstate, statement
from lifecycle.exceptions import LifecycleError, RowMissing
from lifecycle.ledger.policy_states import wait_for_batches
from lifecycle.ledger.row_names import ledger_key, named
from lifecycle.ledger.shortened import Shortened, shortened
from lifecycle.ledger.write import alias_of, lock_row, lock_rows, write
from lifecycle.phrases import phrase
from lifecycle.policy.registry import get_policy, policies_of

CHUNK = 10_000  # rows of one event


@dataclass(frozen=True)
class Hold:
    """A hold that stands. `rows` is 0 where it is on a whole policy, `key` the first key.

    One whose `until` has passed is not `in_force`, but stands until it is released. `deleted` is
    how many of its rows the site itself has deleted under it (see `held_deleted`).
    """

    number: int
    policy: str
    model: str
    rows: int
    key: str
    since: datetime
    until: datetime | None
    in_force: bool
    reason: str
    reference: str
    actor: str
    deleted: int = 0


def hold(
    target: Model | str, reason: str = "", reference: str = "", until: datetime | None = None,
    using: str | None = None,
) -> int:  # fmt: skip
    """Hold a row, or the rows of a policy (by its name): nothing ends it, also not by cascade.

    While a policy is held no policy ends rows of its table, whichever rows it matches.

    Returns the number of the event, which `release` takes. Several holds may stand on one row;
    each is released for itself. The same hold again, by the same actor with the same reason and
    reference, is the one that is in force, if that lasts as long: its number is returned, nothing
    is written. Not where none of the three is given: nobody knows then whose hold it is. Reason and
    reference are written into the ledger as they are.
    """
    detail = _detail(reason, reference, until)
    using = using or alias_of(target)
    with transaction.atomic(using=using):
        if isinstance(target, str):
            policy = get_policy(target)
            for each in policies_of(policy.model):
                wait_for_batches(each.name, using)
            model = label_of(policy)
            return write("hold_placed", using, policy=target, model=model, detail=detail)
        key, model = lock_row(target, using), label_of_model(target)
        return write("hold_placed", using, model=model, key=key, of=target, detail=detail)


def hold_rows(
    rows: "QuerySet[Any]", reason: str = "", reference: str = "", until: datetime | None = None,
    using: str | None = None,
) -> tuple[list[int], int]:  # fmt: skip
    """Hold every row that a queryset finds now; rows that come to match later are not held.

    Returns the numbers of the holds, one for 10,000 rows, and how many rows they hold: all or, when
    it raises, none. Rows that are purged while it waits for them are not among them.
    """
    using = using or alias_of(rows)
    with transaction.atomic(using=using):
        keys = lock_rows(rows, using)
        numbers = hold_keys(rows.model, keys, using, reason, reference, until)
    return numbers, len(keys)


def hold_keys(
    model: type[Model], keys: list[str], using: str, reason: str = "", reference: str = "",
    until: datetime | None = None, **more: Any,
) -> list[int]:  # fmt: skip
    """Hold rows that the caller's transaction has locked or made; the numbers of the holds."""
    key = key_of(model)
    text = statement(
        __file__, "hold_rows", subjects=Placed(subjects_of(key, f"%(keys)s::text[]::{key.kind}[]"))
    )
    params: dict[str, Any] = {"model": label_of_model(model)}
    params["detail"] = Jsonb(_detail(reason, reference, until) | more)
    parts = [keys[start : start + CHUNK] for start in range(0, len(keys), CHUNK)]
    return [scalar(using, text, params | {"keys": part}) for part in parts]


def release(
    target: Model | str | int | None = None, reference: str = "", using: str | None = None,
    at: datetime | None = None,
) -> int:  # fmt: skip
    """Lift the holds of a row or policy, one hold by its number, or all under a reference.

    Returns how many. Of a hold on many rows only the row is let go, where a row is named; it may
    be gone. Rows whose time has come meanwhile fall due at once. `LifecycleError` when there is
    none.

    With `at`, a moment to come, each is lifted and placed anew until then, in one transaction: the
    same rows, reason and reference, under a number of its own. Not where it ends before by itself.
    """
    using = using or alias_of(target)
    with transaction.atomic(using=using):
        if isinstance(target, str):
            wait_for_batches(target, using)
        row: dict[str, Any] = {}
        if isinstance(target, Model):
            row = {"key": _locked(target, using), "of": target}
        held = _standing(target, reference, using, row.get("key"))
        if not held:
            raise LifecycleError(_no_hold(target, reference))
        for number, policy, model in held:
            kept = at and shortened(number, using, row.get("key"), at)
            _let_go(number, policy, model, using, row)
            if kept:  # afterwards: the same hold twice is one, and that is lifted here
                _place_anew(kept, policy, model, using, at)
    return len(held)


def _no_hold(target: Model | str | int | None, reference: str) -> str:
    what = named(target) if isinstance(target, Model) else target
    if what:
        return phrase("There is no hold on %(what)s.", what=what)
    return phrase("There is no hold on reference %(reference)s.", reference=repr(reference))


def holds(using: str = DEFAULT_DB_ALIAS, numbers: list[int] | None = None) -> list[Hold]:
    """Every hold that stands, or those of these numbers, the oldest first."""
    return [Hold(*row) for row in fetch(using, statement(__file__, "holds"), {"numbers": numbers})]


def _locked(row: Model, using: str) -> str:
    """The key of a row, which is locked where it is there."""
    try:
        return lock_row(row, using)
    except RowMissing:
        return ledger_key(type(row), key_text(type(row), row.pk), using)


def _let_go(number: int, policy: str, model: str, using: str, row: dict[str, Any]) -> None:
    detail = {"holds": [number]}
    try:
        released = write("hold_released", using, policy=policy, model=model, detail=detail, **row)
    except DatabaseError as error:
        if sqlstate(error) != NO_DATA_FOUND:
            raise
        raise LifecycleError(
            phrase("Hold %(number)s was released meanwhile.", number=number)
        ) from error
    again = {"event": released if row else number, "policy": policy}
    fetch(using, statement(__file__, "look_again"), again)


def _place_anew(kept: Shortened, policy: str, model: str, using: str, at: datetime | None) -> None:
    if policy:
        detail = _detail(kept.reason, kept.reference, at)
        write("hold_placed", using, policy=policy, model=model, detail=detail)
    else:
        hold_keys(apps.get_model(model), kept.keys, using, kept.reason, kept.reference, at)


def _standing(target: Any, reference: str, using: str, key: str | None) -> list[tuple[Any, ...]]:
    wanted = dict.fromkeys(("event", "policy", "reference", "model", "key"))
    if isinstance(target, int):
        wanted["event"] = target
    elif isinstance(target, str):
        wanted["policy"] = target
    elif key is None:
        wanted["reference"] = reference
    else:
        wanted |= {"model": label_of_model(target), "key": key}
    return fetch(using, statement(__file__, "holds_on"), wanted)


def _detail(reason: str, reference: str, until: datetime | None) -> dict[str, Any]:
    return {"reason": reason, "reference": reference, "until": until and until.isoformat()}
