"""Whether anything may end in a database: the one question that batches, media and archives ask.

Nothing ends before this process has compared the ledger with what was published, after each start
of the process and of the server, and once a minute; and while an alarm stands.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

from lifecycle.conf import conf
from lifecycle.db.connection import fetch, statement
from lifecycle.exceptions import LifecycleError
from lifecycle.phrases import phrase
from lifecycle.sealing.log import read_log
from purge.proof.detect import Decision, State, decide
from purge.proof.options import halts_when_altered, proof_options

TRUSTED = 60.0  # seconds that a decision stands
SOON = 1.0  # seconds after which it is asked again where nothing could be decided


class Known(NamedTuple):
    """What a decision was made of: the server's start, the database, the log, and when."""

    server: tuple[Any, ...]
    size: tuple[int, int]
    decision: Decision
    at: float
    compared: bool  # since this process and the server run, the store has answered once


_known: dict[str, Known] = {}
_opened: ContextVar[frozenset[str]] = ContextVar("opened", default=frozenset())


def why_closed(using: str, files: bool = False) -> str:
    """Why nothing may end now, in words for people; '' where it may.

    `files`: whether files or archives are meant, which a store that shows nothing stops too.
    """
    if not conf.PROOF or using in _opened.get():
        return ""
    try:
        found = _decision(using)
    except LifecycleError as error:
        return phrase("the log of this ledger cannot be used: %(error)s", error=error)
    if found.state is State.NORMAL or (found.state is State.UNPROVED and not files):
        return ""
    if found.state is State.ALTERED and not halts_when_altered():
        return ""
    return f"{found.state}: {found.text}" if found.is_alarm else found.text


@contextmanager
def opened(using: str) -> Iterator[None]:
    """For whoever ends again what had ended, while the alarm stands that stops all others."""
    before = _opened.set(_opened.get() | {using})
    try:
        yield
    finally:
        _opened.reset(before)


def alarm_of(using: str) -> dict[str, Any]:
    """The alarm that stands in the log's row: kind, since, text, missing, command; empty: none."""
    known = read_log(using) if conf.PROOF else None
    return known.alarm if known else {}


def forget(using: str) -> None:
    """Compare again before anything ends."""
    _known.pop(using, None)


def _decision(using: str) -> Decision:
    server, size, kind, text = _look(using)
    known = _known.get(using)
    if known and known.server == server and size >= known.size and _is_fresh(known):
        if kind and kind != known.decision.state:  # another worker has found it
            return Decision(State(kind), text)
        return known.decision
    options = proof_options()
    if options is None:
        return Decision(State.NORMAL)
    found = decide(using, options)
    compared = not found.is_unread or bool(known and known.server == server and known.compared)
    if not compared:
        found = _before_the_first(found)
    _known[using] = Known(server, size, found, time.monotonic(), compared)
    return found


def _before_the_first(found: Decision) -> Decision:
    """A store that could not be read yet says nothing of this ledger: no row ends either."""
    return Decision(State.WAITS, f"nothing ends before the ledger is compared: {found.text}")


def _is_fresh(known: Known) -> bool:
    lasts = TRUSTED if known.decision.state is State.NORMAL else SOON
    return time.monotonic() - known.at < lasts


def _look(using: str) -> tuple[tuple[Any, ...], tuple[int, int], str, str]:
    ((*server, incarnation, size, kind, text),) = fetch(using, statement(__file__, "look"))
    return tuple(server), (incarnation or 0, size or 0), kind or "", text or ""
