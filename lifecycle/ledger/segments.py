"""Segments: made away from the writes, so that a key is found without reading the whole ledger.

A piece of the ledger may be covered only when no session can still write an event into it: numbers
are given before they are committed. So its end is marked, with the sessions that have the ledger
open for writing; when all of those have ended, everything up to the mark is there to be read.
"""

import threading
import time
from dataclasses import dataclass

from django.db import OperationalError, transaction
from django.db.models import Model

from lifecycle.compiler.keys import key_of, label_of_model
from lifecycle.db.connection import (
    LOCK_NOT_AVAILABLE,
    Placed,
    Raw,
    fetch,
    scalar,
    sqlstate,
    statement,
)
from lifecycle.ledger.row_names import ledger_key

CATCH_UP = 5.0  # seconds of one call

Range = tuple[int, int]  # of numbers of events; the second is the first that is not in it


@dataclass(frozen=True)
class Mark:
    """The last number given at some moment, and the transactions that might still have one."""

    number: int
    writers: frozenset[str]


_marks: dict[str, Mark] = {}
_lock = threading.Lock()


def mark(using: str) -> Mark:
    """Where the ledger is now. The number is read first: who has it is among the writers."""
    number = scalar(using, statement(__file__, "last_number"))
    writers = fetch(using, statement(__file__, "writers"))
    return Mark(number or 0, frozenset(name for (name,) in writers))


def is_written(known: Mark, using: str) -> bool:
    """Whether no transaction is under way that was when the mark was made."""
    return not known.writers & mark(using).writers


def cover_marked(using: str) -> int:
    """Cover what was written before the last call that made a mark; returns how many pieces.

    Called once a minute. Another worker may be at it: then nothing is done.
    """
    with _lock:
        known = _marks.get(using)
    pieces = 0
    if known is not None and not is_written(known, using):
        return 0
    if known is not None:
        pieces = cover(known, using)
    with _lock:
        _marks[using] = mark(using)
    return pieces


def cover(known: Mark, using: str, seconds: float = CATCH_UP) -> int:
    """Cover piece after piece up to a mark that `is_written`, for some seconds; how many."""
    until, pieces = time.monotonic() + seconds, 0
    while time.monotonic() < until and _cover_one(known.number, using):
        pieces += 1
    return pieces


def _cover_one(number: int, using: str) -> bool:
    try:
        with transaction.atomic(using=using):
            return scalar(using, statement(__file__, "cover"), {"upto": number}) is not None
    except OperationalError as error:
        if sqlstate(error) != LOCK_NOT_AVAILABLE:
            raise
        return False


def pieces_of(model: type[Model], key: str, using: str) -> list[Range]:
    """Where in the ledger events about a row may be, the newest first; none of them is elsewhere.

    Everything that is not covered is among them: without segments the whole ledger.
    """
    kind = key_of(model).kind
    number = Raw("key" if kind == "bigint" else "NULL::bigint")
    parts = {"kind": Raw(kind), "number": number, "owner_has": holds_key("owner", kind)}
    params = {"model": label_of_model(model), "key": ledger_key(model, key, using)}
    return [
        (low, high) for low, high in fetch(using, statement(__file__, "pieces", **parts), params)
    ]


def holds_key(event: str, kind: str) -> Placed:
    """SQL: whether an event's own set holds the parameter `key`."""
    one = f"coalesce(%(key)s::{kind} = ANY ({event}.subjects_{kind}), false)"
    if kind == "bigint":
        one += f" OR coalesce({event}.subjects_range @> %(key)s::bigint, false)"
    return Placed(f"({one})")
