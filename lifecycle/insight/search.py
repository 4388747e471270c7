"""What ledger and agenda say about one row, found without an index on the keys.

An index on the sets of keys would cost every write of the host. Instead the ledger is read
backwards, a piece at a time, for as long as a person waits.
"""

import time
from dataclasses import dataclass
from typing import Any

from django.db import DEFAULT_DB_ALIAS, DataError, OperationalError
from django.db.models import Model

from lifecycle.compiler.keys import key_of, label_of_model
from lifecycle.db.connection import Placed, fetch, limited, scalar, statement, was_stopped
from lifecycle.exceptions import LifecycleError
from lifecycle.ledger.row_names import ledger_key

PIECE = 50_000  # numbers of events
PATIENCE = 3.0  # seconds
SHOWN = 100  # events


@dataclass(frozen=True)
class Found:
    """Numbers of events, newest first; those below `reached` were not looked at (0: all were)."""

    events: list[int]
    reached: int


def events_about(
    model: type[Model], key: str, before: int | None = None, using: str = DEFAULT_DB_ALIAS,
    patience: float = PATIENCE,
) -> Found:  # fmt: skip
    """The events about one row, the newest first, from before the event of that number.

    Stops after `patience` seconds, or a hundred events, and says how far it has come. A piece of
    the ledger is read to its end: one more second, where sets are large.
    """
    text, params = _statement("find_events", model), _params(model, key, using)
    top = before or scalar(using, "SELECT coalesce(max(id), 0) + 1 FROM lifecycle_event")
    until = time.monotonic() + patience
    events: list[int] = []
    while top > 1 and len(events) < SHOWN and time.monotonic() < until:
        low = max(1, top - PIECE)
        events += _numbers(using, text, params | {"before": top, "from": low})
        top = low
    if len(events) > SHOWN:
        events = events[:SHOWN]
        top = events[-1]
    return Found(events, top if top > 1 else 0)


def events_of_table(
    model: type[Model], events: list[int], using: str = DEFAULT_DB_ALIAS
) -> list[int]:
    """The events after a row's first that do not name it: TRUNCATE, holds on all rows, releases.

    `events` are those that do.
    """
    if not events:
        return []
    label = label_of_model(model)
    text = statement(__file__, "find_table_events")
    return _numbers(using, text, {"model": label, "events": events, "since": min(events)})


def entries_about(model: type[Model], key: str, using: str = DEFAULT_DB_ALIAS) -> list[int] | None:
    """The agenda entries that list one row, by their events; None where that takes too long."""
    try:
        with limited(using, PATIENCE):
            return _numbers(using, _statement("find_entries", model), _params(model, key, using))
    except OperationalError as error:
        if not was_stopped(error):
            raise
        return None


def _numbers(using: str, text: str, params: dict[str, Any]) -> list[int]:
    try:
        return [number for (number,) in fetch(using, text, params)]
    except (DataError, ValueError) as error:
        raise LifecycleError(f"{params['key']!r} cannot be a key of {params['model']}.") from error


def _params(model: type[Model], key: str, using: str) -> dict[str, Any]:
    label = label_of_model(model)
    return {"model": label, "key": ledger_key(model, key, using)}


def _statement(name: str, model: type[Model]) -> str:
    kind = key_of(model).kind
    return statement(__file__, name, event_has=_has("event", kind), owner_has=_has("owner", kind))


def _has(event: str, kind: str) -> Placed:
    """Whether the event's own set holds the key."""
    one = f"coalesce(%(key)s::{kind} = ANY ({event}.subjects_{kind}), false)"
    if kind == "bigint":
        one += f" OR coalesce({event}.subjects_range @> %(key)s::bigint, false)"
    return Placed(f"({one})")
