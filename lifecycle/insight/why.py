"""Why a row is there or is gone, and what happens to it next.

Reads what the worker reads: the stored SQL of each policy, exceptions, agenda, ledger. It locks
nothing, so what it says is as of now; the worker looks again before it acts.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from django.db import DatabaseError, transaction
from django.db.models import Model, Q

from lifecycle.db.connection import DENIED, sqlstate
from lifecycle.db.rows import home
from lifecycle.hooks import left_events
from lifecycle.insight.declared import stages
from lifecycle.insight.search import entries_about, events_about, events_of_table
from lifecycle.insight.verdict import Look, Verdict
from lifecycle.ledger.holds import Hold, holds
from lifecycle.ledger.row_names import ledger_key, row_name, rows_of_key
from lifecycle.models import ON_TABLE, Event, RowException
from lifecycle.policy.registry import policies_of
from lifecycle.printable import in_utc

ENDINGS = ("purged", "deleted", "archived", "truncated")
PATIENCE = 60.0  # seconds
LARGE = ("subjects_bigint", "subjects_uuid", "subjects_text", "subjects_range", "identities")


@dataclass(frozen=True)
class Why:
    """All there is about one row. `complete` is False where the ledger was too long to read.

    `exists` is None, and nothing is said of policies, where the session's role may not read the
    table.
    """

    row: str
    exists: bool | None
    says: str
    verdicts: list[Verdict]
    holds: list[Hold]
    events: list[Event]
    complete: bool


def why(model: type[Model], key: str, using: str | None = None) -> Why:
    """The row's events, newest first, its holds, and what each of its policies says now."""
    using = using or home(model)
    events, complete = _story(model, key, using)
    held = holds_on(model, key, using)
    exists, found = _seen(model, key, using, events, held)
    says = in_short(model, exists, events, found)
    name = row_name(model, key)
    return Why(name, exists, says, found, held, events, complete)


def _seen(
    model: type[Model], key: str, using: str, events: list[Event], held: list[Hold]
) -> tuple[bool | None, list[Verdict]]:
    """Whether it is there, and what its policies say; nothing for who reads the ledger alone."""
    try:
        with transaction.atomic(using=using):
            exists = rows_of_key(model, key, using).exists()
            return exists, verdicts(model, key, using, events, held) if exists else []
    except DatabaseError as error:
        if sqlstate(error) != DENIED:
            raise
        return None, []


def verdicts(
    model: type[Model], key: str, using: str, events: list[Event], held: list[Hold],
    shown: Callable[[list[str]], list[str]] = list,
) -> list[Verdict]:  # fmt: skip
    """What each policy means now for a row that is there; of its events, the newest first.

    `shown` makes of the names of rows in its way those that may be read.
    """
    # An entry has the number of its event: known where the agenda is too long to be searched.
    entries = {event.pk for event in events} | set(entries_about(model, key, using) or ())
    of_row = (key, using, entries, held, events, shown)
    looks = [Look(policy, *of_row) for policy in policies_of(model)]
    return [replace(look.verdict(), stages=stages(look.policy)) for look in looks]


def _story(model: type[Model], key: str, using: str) -> tuple[list[Event], bool]:
    """The events about the row, and whether the whole ledger was read in time."""
    give_up, before = time.monotonic() + PATIENCE, None
    numbers: list[int] = []
    while before != 0 and time.monotonic() < give_up:
        found = events_about(model, key, before, using)
        numbers, before = numbers + found.events, found.reached
    numbers += events_of_table(model, numbers, using)
    events = Event.objects.using(using).filter(pk__in=numbers).defer(*LARGE).order_by("-pk")
    left = left_events(model, key, numbers, using)
    return sorted([*events, *left], key=lambda event: -event.pk), before == 0


def holds_on(model: type[Model], key: str, using: str) -> list[Hold]:
    """The holds in force on a row, or on all rows of its table."""
    label, key = model._meta.label_lower, ledger_key(model, key, using)
    on = RowException.objects.using(using).filter(kind="hold", model=label)
    numbers = list(on.filter(Q(key=key) | ON_TABLE).values_list("event_id", flat=True))
    return [each for each in holds(using, numbers) if each.in_force]


def in_short(
    model: type[Model], exists: bool | None, events: list[Event], verdicts: list[Verdict]
) -> str:
    """In a sentence or two: whether it is there, how it went, what comes next."""
    if exists is None:
        told = f"{events[0].kind} in event {events[0].pk}" if events else "nothing"
        return f"This role may not read {model._meta.label}: the ledger's last word is {told}."
    if not exists:
        gone = next((each for each in events if each.kind in ENDINGS), None)
        if gone is None:
            how = "say how it went" if events else "know of it"
            return f"It is not in the database, and the ledger does not {how}."
        by = f" by policy {gone.policy}" if gone.policy else " by the site itself"
        run = f"run {gone.run}, " if gone.run else ""
        return f"It is gone: {gone.kind}{by} at {in_utc(gone.recorded_at)} ({run}event {gone.pk})."
    if not verdicts:
        return f"It is in the database. No policy is on {model._meta.label}: nothing ends it."
    first = min((each for each in verdicts if each.at), key=lambda v: v.at or 0, default=None)
    return "It is in the database. " + (
        f"Next: {first.policy}, at {in_utc(first.at)}." if first else "Nothing will end it."
    )
