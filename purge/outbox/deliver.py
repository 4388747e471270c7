"""Telling subscribers what has gone: one line at a time, the one that has waited longest first.

A line is claimed in a transaction of its own, that moves its time on by `LEASE`, and the function
is called outside of any transaction. Whoever is killed in between has it told once more after that;
a function that has not returned by then may be called by another worker too.
"""

import time
from datetime import timedelta
from typing import Any, NamedTuple

from django.db import connections
from django.db.models import Field

from lifecycle.compiler.keys import is_object, key_field, key_of
from lifecycle.db.connection import Placed, fetch, own_transaction, statement
from lifecycle.logs import Log
from purge.back_off import back_off
from purge.outbox.subscribers import Purged, Subscriber, subscriber, subscribers

LEASE = timedelta(minutes=10)
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=10), timedelta(hours=1)

log = Log("purge")


class OtherModel(Exception):
    """A subscriber of this name is of another model than the rows that it was to be told of."""


class Line(NamedTuple):
    """What one subscriber is to be told of one event."""

    number: int
    subscriber: str
    event: int
    model: str
    policy: str
    token: str
    attempt: int


def deliver(using: str, deadline: float | None = None) -> int:
    """Tell what is due; begins no call after `deadline`, of the monotonic clock. Returns how many
    calls came back without an error. An error of a function is logged by its kind, and is no error
    here."""
    done = 0
    while deadline is None or time.monotonic() < deadline:
        line = _claim(using)
        if line is None:
            break
        done += _tell(line, using)
    return done


def _claim(using: str) -> Line | None:
    names = [each.name for each in subscribers()]
    if not names:
        return None
    with own_transaction(using):
        found = fetch(using, statement(__file__, "claim"), {"names": names, "lease": LEASE})
    return Line(*found[0]) if found else None


def _tell(line: Line, using: str) -> bool:
    """Whether the function has returned."""
    told = subscriber(line.subscriber)
    if told is None:
        return False
    try:
        told.function(_purged(line, told, using))
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # what ends the thread would end all deliveries
        connections[using].close_if_unusable_or_obsolete()
        _again(line, error, using)
        return False
    name = "sent" if told.answers_later else "answered"
    fetch(using, statement(__file__, name), _params(line, told.within))
    return True


def _purged(line: Line, told: Subscriber, using: str) -> Purged:
    _require_same_model(line, told, using)
    typed = Placed(key_of(told.model).typed("key"))
    text = statement(__file__, "keys", typed=typed)
    keys, at = fetch(using, text, {"event": line.event})[0]
    if at is None:
        raise LookupError("the event has left the ledger")
    field: Any = key_field(told.model)
    return Purged(
        told.model, [_as_python(field, key, using) for key in keys], line.policy, at,
        line.event, line.token, line.attempt,
    )  # fmt: skip


def _require_same_model(line: Line, told: Subscriber, using: str) -> None:
    """The keys of another model's rows are those of rows that are there."""
    if line.model == told.label:
        return
    params = {"model": line.model, "event": line.event}
    found = fetch(using, statement(__file__, "renamed"), params)
    if found != [(told.label,)]:
        raise OtherModel(told.name)


def _as_python(field: "Field[Any, Any]", key: Any, using: str) -> Any:
    if not is_object(field):
        return key
    return field.from_db_value(key, field.cached_col, connections[using])  # type: ignore[attr-defined]


def _again(line: Line, error: BaseException, using: str) -> None:
    """Its kind only: the words of an error may hold values."""
    kind = type(error).__name__
    wait = back_off(FIRST_WAIT, LONGEST_WAIT, line.attempt - 1)
    fetch(using, statement(__file__, "failed"), _params(line, wait) | {"error": kind})
    log(
        "delivery_failed", f"{line.subscriber}: was not told of event {line.event}: {kind}",
        subscriber=line.subscriber, event=line.event, policy=line.policy, database=using,
    )  # fmt: skip


def _params(line: Line, wait: timedelta) -> dict[str, Any]:
    return {"number": line.number, "token": line.token, "wait": wait, "attempt": line.attempt}
