"""What people say about single rows: restore, hold, release, expire by hand.

Each locks the row before it writes, so that it cannot pass a purge that is looking at the row:
either the purge comes first and the row is gone (`RowMissing`), or it sees what was said.
Each is one event with its actor (see `lifecycle.context`), in the caller's transaction.
"""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Model
from psycopg.types.json import Jsonb

from . import signals
from .compile import compiled
from .db import Raw, fetch, scalar, statement
from .errors import ConditionNotMet, LifecycleError, NoPolicy, RowMissing
from .keys import key_of, label_of
from .places import home, home_of, ledger
from .policy import Policy
from .registry import get_policy, policies_of


def restore(obj: Model, until: datetime | None = None, policy: str | None = None) -> None:
    """Bring a row back to live until its due time changes, or until a date.

    Says so for every policy on the model, or for the one named. Raises `RowMissing` when the row
    is gone: what was purged cannot be restored.
    """
    for each in _policies(obj, policy):
        _say("restored", obj, each, due=until, until=until)


def expire_now(obj: Model, policy: str | None = None) -> None:
    """End a row now by hand; its grace begins when the worker tombstones it, a moment later.

    Raises `ConditionNotMet` when the row does not match the policy's `when`.
    """
    chosen = _policies(obj, policy)
    if len(chosen) > 1:
        names = ", ".join(each.name for each in chosen)
        raise LifecycleError(f"{obj._meta.label} has several policies: say which of {names}.")
    _say("expired_by_hand", obj, chosen[0], matching=True)


def hold(
    target: Model | str, reason: str = "", reference: str = "", until: datetime | None = None,
    using: str | None = None,
) -> int:  # fmt: skip
    """Hold a row, or the rows of a policy (by its name): nothing ends it, also not by cascade.

    While a policy is held no policy ends rows of its table, whichever rows it matches.

    Returns the number of the event, which `release` takes. Several holds may stand on one row;
    each is released for itself. Reason and reference are written into the ledger as they are.
    """
    detail = {"reason": reason, "reference": reference, "until": until and until.isoformat()}
    using = using or _alias(target)
    with transaction.atomic(using=using):
        if isinstance(target, str):
            table = get_policy(target)
            for each in policies_of(table.model):
                _bar(each.name, using)
            label = label_of(table)
            return int(_write("hold_placed", using, policy=target, model=label, detail=detail))
        key = _lock(target, using)
        return int(
            _write("hold_placed", using, model=_label(target), key=key, of=target, detail=detail)
        )


def release(target: Model | str | int, using: str | None = None) -> int:
    """Lift the holds of a row or policy, or one hold by its number; returns how many.

    Rows whose time has come meanwhile fall due at once. Raises `LifecycleError` when there is none.
    """
    using = using or _alias(target)
    with transaction.atomic(using=using):
        if isinstance(target, str):
            _bar(target, using)
        held = _holds(target, using)
        if not held:
            raise LifecycleError(f"There is no hold on {target}.")
        for event_id, policy, model in held:
            _write("hold_released", using, policy=policy, model=model, detail={"holds": [event_id]})
            fetch(using, statement(__file__, "look_again"), {"event": event_id, "policy": policy})
    return len(held)


def _policies(obj: Model, name: str | None) -> list[Policy]:
    chosen = [p for p in policies_of(type(obj)) if name in (None, p.name)]
    if not chosen:
        if name:
            get_policy(name)
        raise NoPolicy(f"{obj._meta.label} has no policy{f' {name!r}' if name else ''}.")
    return chosen


def _say(
    kind: str, obj: Model, policy: Policy, due: datetime | None = None,
    until: datetime | None = None, matching: bool = False,
) -> None:  # fmt: skip
    using = _alias(obj)
    with transaction.atomic(using=using):
        key = _lock(obj, using)
        if matching and not _matches(policy, key, using):
            raise ConditionNotMet(f"{obj} does not match `when` of policy {policy.name!r}.")
        detail: dict[str, Any] = {"until": until.isoformat()} if until else {}
        if kind == "restored":
            detail["again"] = True  # a tombstone from before does not count any more
        event = _write(
            kind, using, policy=policy.name, model=_label(obj), key=key, of=obj, detail=detail,
            due=due, now=matching,
        )  # fmt: skip
    if kind == "restored":
        told = {"policy": policy.name, "events": [event], "count": 1}
        send = lambda: signals.restored.send_robust(policy.model, **told)  # noqa: E731
        transaction.on_commit(send, using=using, robust=True)


def _lock(obj: Model, using: str) -> str:
    """Lock the row against purge and return its key as the ledger writes it."""
    key = key_of(type(obj))
    text = statement(__file__, "lock_row", table=compiled_table(obj), pk=key.column)
    rows = fetch(using, text, {"key": obj.pk})
    if not rows:
        raise RowMissing(f"{obj._meta.label}:{obj.pk} is not in the database.")
    return str(rows[0][0])


def _matches(policy: Policy, key: str, using: str) -> bool:
    code = compiled(policy)
    text = statement(__file__, "row_matches", state_sql=Raw(code.state_sql))
    return bool(scalar(using, text, {"key": key}))


def _write(
    kind: str, using: str, policy: str = "", model: str = "", key: str | None = None,
    of: Model | None = None, detail: dict[str, Any] | None = None, due: datetime | None = None,
    now: bool = False,
) -> int:  # fmt: skip
    params = {
        "kind": kind, "policy": policy, "model": model, "key": key, "due": due, "now": now,
        "type": key_of(type(of)).kind if of else None, "detail": Jsonb(detail or {}),
    }  # fmt: skip
    return int(scalar(using, statement(__file__, "write_one"), params))


def _holds(target: Model | str | int, using: str) -> list[tuple[Any, ...]]:
    wanted = {"event": None, "policy": None, "model": None, "key": None}
    if isinstance(target, int):
        wanted["event"] = target  # type: ignore[assignment]
    elif isinstance(target, str):
        wanted["policy"] = target  # type: ignore[assignment]
    else:
        key = _lock(target, using)
        wanted |= {"model": _label(target), "key": key}  # type: ignore[dict-item]
    return fetch(using, statement(__file__, "holds_on"), wanted)


def _bar(policy: str, using: str) -> None:
    """Wait for the batches of a policy that are under way; they share this lock."""
    fetch(using, statement(__file__, "bar_policy"), {"policy": policy})


def _alias(target: Any) -> str:
    if isinstance(target, Model):
        return home_of(target)  # not where it was read, which may be a replica
    return home(get_policy(target).model) if isinstance(target, str) else ledger()


def _label(obj: Model) -> str:
    return obj._meta.concrete_model._meta.label_lower  # type: ignore[union-attr]


def compiled_table(obj: Model) -> str:
    """The table of the row's own model."""
    return obj._meta.concrete_model._meta.db_table  # type: ignore[union-attr]
