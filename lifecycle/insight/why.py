"""Why a row is there or is gone, and what happens to it next.

Reads what the worker reads: the stored SQL of each policy, exceptions, agenda, ledger. It locks
nothing, so what it says is as of now; the worker looks again before it acts.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

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
from lifecycle.phrases import at, joined, phrase, word
from lifecycle.policy.registry import policies_of

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
    if exists:
        return joined(" ", [phrase("It is in the database."), what_next(model, verdicts)])
    return _unreadable(model, events) if exists is None else how_gone(events)


def what_next(model: type[Model], verdicts: list[Verdict]) -> str:
    """Of a row that is there."""
    if not verdicts:
        return phrase("No policy is on %(model)s: nothing ends it.", model=model._meta.label)
    times = [(each.at, each.policy) for each in verdicts if each.at]
    if not times:
        return phrase("Nothing will end it.")
    time, policy = min(times, key=lambda each: each[0])
    return phrase("Next: %(policy)s, at %(time)s.", policy=policy, time=at(time))


def _unreadable(model: type[Model], events: list[Event]) -> str:
    """Of a row that this role may not read."""
    label = model._meta.label
    if not events:
        return phrase(
            "This role may not read %(model)s: the ledger's last word is nothing.", model=label
        )
    return phrase(
        "This role may not read %(model)s: the ledger's last word is %(kind)s in event %(event)s.",
        model=label,
        kind=word(events[0].kind),
        event=events[0].pk,
    )


def how_gone(events: list[Event]) -> str:
    """Of a row that is not there."""
    gone = next((each for each in events if each.kind in ENDINGS), None)
    if gone is None and events:
        return phrase("It is not in the database, and the ledger does not say how it went.")
    if gone is None:
        return phrase("It is not in the database, and the ledger does not know of it.")
    about: dict[str, Any] = {"kind": word(gone.kind), "time": at(gone.recorded_at)}
    event = phrase("event %(event)s", event=gone.pk)
    by_run = [phrase("run %(run)s", run=gone.run)] if gone.run else []
    about |= {"where": joined(", ", [*by_run, event])}
    if not gone.policy:
        return phrase("It is gone: %(kind)s by the site itself at %(time)s (%(where)s).", **about)
    about["policy"] = gone.policy
    return phrase("It is gone: %(kind)s by policy %(policy)s at %(time)s (%(where)s).", **about)
