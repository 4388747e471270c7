"""What people say about single rows: restore, expire by hand. See `holding` for holds.

Each locks the row before it writes, so that it cannot pass a purge that is looking at the row:
either the purge comes first and the row is gone (`RowMissing`), or it sees what was said.
Each is one event with its actor (see `lifecycle.context`), in the caller's transaction.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Model, QuerySet

from lifecycle import signals
from lifecycle.compiler.keys import label_of_model, subjects_of
from lifecycle.compiler.policy_sql import compiled, select_grace
from lifecycle.db.connection import Placed, Raw, fetch, statement
from lifecycle.exceptions import ConditionNotMet, LifecycleError, NoPolicy
from lifecycle.ledger.write import alias_of, lock_row, lock_rows, refuse_singly, write
from lifecycle.phrases import phrase
from lifecycle.policy.dispositions import Update
from lifecycle.policy.policy import Policy
from lifecycle.policy.registry import get_policy, policies_of

MOST = 10_000  # rows that may be expired by hand at a time


def restore(obj: Model, until: datetime | None = None, policy: str | None = None) -> None:
    """Bring a row back to live until its due time changes, or until a date.

    Says so for every policy on the model, or for the one named. Raises `RowMissing` when the row
    is gone: what was purged cannot be restored.
    """
    for each in _policies(type(obj), policy):
        _say("restored", obj, each, until=until)


def expire_now(obj: Model, policy: str | None = None) -> None:
    """End a row now by hand; its grace begins when the worker tombstones it, a moment later.

    An `Update` acts after its grace. Raises `ConditionNotMet` when the row does not match the
    policy's `when`, or the grace of an `Update` is unknown.
    """
    _say("expired_by_hand", obj, _one(type(obj), policy), matching=True)


def expire_rows(rows: "QuerySet[Any]", policy: str | None = None, using: str | None = None) -> int:
    """End the rows that a queryset finds now, by hand, as `expire_now` does; returns how many.

    Rows that do not match the policy's `when` are left out. At most 10,000 at a time, for each
    becomes an exception until it has ended; `purge.run` ends more. All or, when it raises, none.
    """
    using, chosen = using or alias_of(rows), _one(rows.model, policy)
    code = compiled(chosen)
    parts = {
        "state_sql": Raw(code.state_sql),
        "stored_key": Placed(code.key.stored("key")),
    } | _wait(chosen)
    parts |= {"type": Placed(code.key.cast), "subjects": Placed(subjects_of(code.key, "keys"))}
    with transaction.atomic(using=using):
        keys = lock_rows(rows, using)
        if len(keys) > MOST:
            raise LifecycleError(
                phrase(
                    "%(keys)s rows are too many to expire by hand, at most %(most)s.",
                    keys=len(keys),
                    most=MOST,
                )
            )
        params = {"policy": chosen.name, "model": label_of_model(rows.model), "keys": keys}
        expired = fetch(using, statement(__file__, "expire_rows", **parts), params)
    return sum(int(count) for count, _ in expired)


def _one(model: type[Model], name: str | None) -> Policy:
    chosen = _policies(model, name)
    if len(chosen) > 1:
        names = ", ".join(each.name for each in chosen)
        raise LifecycleError(
            phrase(
                "%(model)s has several policies: say which of %(names)s.",
                model=model._meta.label,
                names=names,
            )
        )
    return chosen[0]


def no_policy(model: Any, name: str | None) -> str:
    """That a model has none, or none of this name."""
    label = model._meta.label
    if not name:
        return phrase("%(model)s has no policy.", model=label)
    return phrase("%(model)s has no policy %(name)s.", model=label, name=repr(name))


def _policies(model: type[Model], name: str | None) -> list[Policy]:
    refuse_singly(model)
    chosen = [p for p in policies_of(model) if name in (None, p.name)]
    if not chosen:
        if name:
            get_policy(name)
        raise NoPolicy(no_policy(model, name))
    return chosen


def _say(
    kind: str, obj: Model, policy: Policy, until: datetime | None = None, matching: bool = False,
) -> None:  # fmt: skip
    using = alias_of(obj)
    with transaction.atomic(using=using):
        key = lock_row(obj, using)
        detail: dict[str, Any] = {"until": until.isoformat()} if until else {}
        if matching:
            detail["wait"] = _waits(obj, policy, key, using)
        if kind == "restored":
            detail["again"] = True  # a tombstone from before does not count any more
        event = write(
            kind, using, policy=policy.name, model=label_of_model(obj), key=key, of=obj,
            detail=detail,
        )  # fmt: skip
    if kind == "restored":
        details = {"policy": policy.name, "events": [event], "count": 1}
        send = lambda: signals.restored.send_robust(policy.model, **details)  # noqa: E731
        transaction.on_commit(send, using=using, robust=True)


def _waits(obj: Model, policy: Policy, key: str, using: str) -> float:
    """For how many seconds an end by hand waits; raises `ConditionNotMet` where nothing may end."""
    code = compiled(policy)
    parts = {"state_sql": Raw(code.state_sql), "key": Placed(code.key.typed("%(key)s"))}
    parts |= _wait(policy)
    rows = fetch(using, statement(__file__, "row_matches", **parts), {"key": key})
    matches, wait = rows[0] if rows else (False, None)
    if not matches:
        raise ConditionNotMet(
            phrase(
                "%(obj)s does not match `when` of policy %(policy)s.",
                obj=obj,
                policy=repr(policy.name),
            )
        )
    if wait is None:
        raise ConditionNotMet(
            phrase(
                "%(obj)s has no grace after which policy %(policy)s updates it.",
                obj=obj,
                policy=repr(policy.name),
            )
        )
    return float(wait)


def _wait(policy: Policy) -> dict[str, Placed]:
    """SQL: the seconds until an end by hand counts, which are the grace of an `Update`."""
    if not isinstance(policy.disposition, Update):
        return {"wait": Placed("0")}
    if isinstance(policy.grace, timedelta):
        return {"wait": Placed(str(policy.grace.total_seconds()))}
    rows = Raw(select_grace(policy))
    return {"wait": Placed(statement(__file__, "own_grace", rows=rows))}
