"""What ledger and agenda say about one row, found without an index on the keys.

An index on the sets of keys would cost every write of the host. Instead the ledger is read
backwards, a piece at a time, for as long as a person waits: what the worker has not covered by
segments yet, and of what it has the pieces that may have the key.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import DEFAULT_DB_ALIAS, DataError, OperationalError
from django.db.models import Model

from lifecycle.compiler.keys import key_of, label_of_model
from lifecycle.db.connection import fetch, limited, statement, was_stopped
from lifecycle.exceptions import LifecycleError
from lifecycle.ledger.row_names import ledger_key
from lifecycle.ledger.segments import Range, holds_key, pieces_of
from lifecycle.phrases import phrase

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
    until = time.monotonic() + patience
    events: list[int] = []
    for low, high in _pieces(model, key, using, before):
        if len(events) >= SHOWN or time.monotonic() >= until:
            return _shown(events, high)
        events += _numbers(using, text, params | {"before": high, "from": low})
    return _shown(events, 0)


def _shown(events: list[int], reached: int) -> Found:
    if len(events) > SHOWN:
        return Found(events[:SHOWN], events[SHOWN - 1])
    return Found(events, reached)


def _pieces(model: type[Model], key: str, using: str, before: int | None) -> Iterator[Range]:
    """What has to be read, the newest first, in pieces of at most so many numbers."""
    for low, top in _ranges(model, key, using):
        high = top if before is None else min(before, top)
        while high > low:
            yield max(low, high - PIECE), high
            high -= PIECE


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
    pieces = _ranges(model, key, using)
    params = {"lows": [low for low, _ in pieces], "highs": [high for _, high in pieces]}
    try:
        with limited(using, PATIENCE):
            text = _statement("find_entries", model)
            return _numbers(using, text, _params(model, key, using) | params)
    except OperationalError as error:
        if not was_stopped(error):
            raise
        return None


def _numbers(using: str, text: str, params: dict[str, Any]) -> list[int]:
    with _refusing(params.get("key", ""), params["model"]):
        return [number for (number,) in fetch(using, text, params)]


def _ranges(model: type[Model], key: str, using: str) -> list[Range]:
    with _refusing(key, label_of_model(model)):
        return pieces_of(model, key, using)


@contextmanager
def _refusing(key: str, model: str) -> Iterator[None]:
    """A `LifecycleError` where the database cannot read a key in its type."""
    try:
        yield
    except (DataError, ValueError) as error:
        raise LifecycleError(
            phrase("%(key)s cannot be a key of %(model)s.", key=repr(key), model=model)
        ) from error


def _params(model: type[Model], key: str, using: str) -> dict[str, Any]:
    label = label_of_model(model)
    return {"model": label, "key": ledger_key(model, key, using)}


def _statement(name: str, model: type[Model]) -> str:
    kind = key_of(model).kind
    parts = {"event_has": holds_key("event", kind), "owner_has": holds_key("owner", kind)}
    return statement(__file__, name, **parts)
