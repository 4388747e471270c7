"""What rows of one model are now, many at a time: for lists and pages of a site's own admin.

Three questions, however many rows and policies; the ledger is not read. What the row's columns and
its row exceptions say is what `live()` and `tombstoned()` go by.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import DataError, transaction
from django.db.models import DateTimeField, Model, Q
from django.db.models.functions import Cast

from lifecycle.compiler.key_expression import KeyText
from lifecycle.compiler.keys import label_of_model
from lifecycle.compiler.policy_sql import due_of
from lifecycle.db.connection import scalar
from lifecycle.db.rows import every_row, home
from lifecycle.ledger.ended import Inlined
from lifecycle.ledger.querysets import tombstoned
from lifecycle.models import ON_TABLE, RowException
from lifecycle.policy.policy import Policy
from lifecycle.policy.registry import policies_of

HELD, TOMBSTONED, RESTORED, LIVE, KEPT = "held", "tombstoned", "restored", "live", "kept"


@dataclass(frozen=True)
class RowState:
    """What a row is, and until when, where that is known; the ends that its policies give it."""

    state: str
    until: datetime | None = None
    ends: dict[str, datetime | None] = field(default_factory=dict)

    def __str__(self) -> str:
        until = f" until {self.until:%Y-%m-%d %H:%M} UTC" if self.until else ""
        return f"{self.state}{until}"


def row_states(model: type[Model], keys: Iterable[Any]) -> dict[Any, RowState]:
    """By primary key, of the rows that are there; none for a model without policies."""
    policies, chosen = policies_of(model), list(keys)
    if not policies or not chosen:
        return {}
    using = home(model)
    rows = every_row(model._meta.concrete_model, using).filter(pk__in=chosen)  # type: ignore[arg-type]
    with transaction.atomic(using=using):
        now = scalar(using, "SELECT lifecycle.now_v1()")
        ended = set(tombstoned(rows).values_list("pk", flat=True))
        read = _read(rows, policies, using)
        said = _exceptions(model, {key for _, key, _ in read}, now, using)
    return {pk: _state(pk in ended, said.get(key, {}), ends, now) for pk, key, ends in read}


def _read(
    rows: Any, policies: list[Policy], using: str
) -> list[tuple[Any, str, dict[str, datetime | None]]]:
    """Each row's primary key, its key as the ledger writes it, its ends by policy."""
    timed = [policy for policy in policies if not policy.on_request]
    ends = {f"lc_end_{number}": _end(policy) for number, policy in enumerate(timed)}
    try:
        with transaction.atomic(using=using):
            found = list(rows.annotate(lc_key=KeyText("pk"), **ends).values_list(
                "pk", "lc_key", *ends
            ))  # fmt: skip
    except DataError:  # an expression that fails on one row: of none is an end told
        found = list(rows.annotate(lc_key=KeyText("pk")).values_list("pk", "lc_key"))
    names = [policy.name for policy in timed]
    return [(pk, key, dict(zip(names, times, strict=False))) for pk, key, *times in found]


def _end(policy: Policy) -> Inlined:
    return Inlined(Cast(due_of(policy), DateTimeField()), DateTimeField())


def _exceptions(
    model: type[Model], keys: set[str], now: datetime, using: str
) -> dict[str, dict[str, datetime | None]]:
    """By key: the kinds of row exceptions in force on it, and until when."""
    found: dict[str, dict[str, datetime | None]] = {key: {} for key in keys}
    about = RowException.objects.using(using).filter(
        Q(key__in=keys) | ON_TABLE, model=label_of_model(model)
    )
    for each in about.only("kind", "policy", "model", "key", "since", "until"):
        if each.until and each.until <= now:
            continue
        for key in keys if each.is_on_table else (each.key,):
            found[key][each.kind] = each.until
    return found


def _state(
    is_tombstoned: bool, said: dict[str, datetime | None], ends: dict[str, datetime | None],
    now: datetime,
) -> RowState:  # fmt: skip
    if "hold" in said:
        return RowState(HELD, said["hold"], ends)
    if is_tombstoned:
        return RowState(TOMBSTONED, None, ends)
    if "restored" in said:
        return RowState(RESTORED, said["restored"], ends)
    times = [time for time in ends.values() if time]
    if times and min(times) <= now:
        return RowState(KEPT, None, ends)
    return RowState(LIVE, min(times, default=None), ends)
