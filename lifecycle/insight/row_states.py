"""What rows of one model are now, many at a time: for lists and pages of a site's own admin.

Three questions, however many rows and policies; the ledger is not read. What the row's columns and
its row exceptions say is what `live()` and `tombstoned()` go by.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

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
from lifecycle.phrases import phrase, to_the_minute, word
from lifecycle.policy.policy import Policy
from lifecycle.policy.registry import policies_of

HELD, TOMBSTONED, RESTORED, LIVE, KEPT = "held", "tombstoned", "restored", "live", "kept"
UNKNOWN = "unknown"  # an expression of a policy fails on it


@dataclass(frozen=True)
class RowState:
    """What a row is, and until when, where that is known; the ends that its policies give it."""

    state: str
    until: datetime | None = None
    ends: dict[str, datetime | None] = field(default_factory=dict)

    def __str__(self) -> str:
        if self.until is None:
            return word(self.state)
        until = to_the_minute(self.until)
        return phrase("%(state)s until %(time)s", state=word(self.state), time=until)


def row_states(model: type[Model], keys: Iterable[Any]) -> dict[Any, RowState]:
    """By primary key, of the rows that are there; none for a model without policies."""
    policies, chosen = policies_of(model), list(keys)
    if not policies or not chosen:
        return {}
    using = home(model)
    with transaction.atomic(using=using):
        now = scalar(using, "SELECT lifecycle.now_v1()")
        read = _read(model, chosen, policies, using)
        said = _exceptions(model, {each.key for each in read}, now, using)
    return {each.pk: _state(each, said.get(each.key, {}), now) for each in read}


class _Read(NamedTuple):
    """A row: its key as the ledger writes it, its ends by policy; None: nobody can tell."""

    pk: Any
    key: str
    ends: dict[str, datetime | None]
    is_tombstoned: bool | None


def _read(
    model: type[Model], chosen: list[Any], policies: list[Policy], using: str
) -> list[_Read]:  # fmt: skip
    """Of rows on which an expression fails, found by halves, no more is told than their key."""
    rows = every_row(model._meta.concrete_model, using).filter(pk__in=chosen)  # type: ignore[arg-type]
    try:
        with transaction.atomic(using=using):
            return _asked(rows, policies)
    except DataError:
        middle = len(chosen) // 2
    if middle:
        halves = (chosen[:middle], chosen[middle:])
        return [each for half in halves for each in _read(model, half, policies, using)]
    plain = rows.annotate(lc_key=KeyText("pk")).values_list("pk", "lc_key")
    return [_Read(pk, key, {}, None) for pk, key in plain]


def _asked(rows: Any, policies: list[Policy]) -> list[_Read]:
    timed = [policy for policy in policies if not policy.on_request]
    names = [policy.name for policy in timed]
    ends = {f"lc_end_{number}": _end(policy) for number, policy in enumerate(timed)}
    ended = set(tombstoned(rows).values_list("pk", flat=True))
    found = rows.annotate(lc_key=KeyText("pk"), **ends).values_list("pk", "lc_key", *ends)
    return [
        _Read(pk, key, dict(zip(names, times, strict=True)), pk in ended)
        for pk, key, *times in found
    ]


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
            found[key][each.kind] = _later(each.until, found[key].get(each.kind, each.until))
    return found


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max(one, other) if one and other else None  # without an end


def _state(row: _Read, said: dict[str, datetime | None], now: datetime) -> RowState:
    if "hold" in said:
        return RowState(HELD, said["hold"], row.ends)
    if row.is_tombstoned is None:
        return RowState(UNKNOWN)
    if row.is_tombstoned:
        return RowState(TOMBSTONED, None, row.ends)
    if "restored" in said:
        return RowState(RESTORED, said["restored"], row.ends)
    times = [time for time in row.ends.values() if time]
    if times and min(times) <= now:
        return RowState(KEPT, None, row.ends)
    return RowState(LIVE, min(times, default=None), row.ends)
