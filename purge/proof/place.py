"""Which database this is, and whether another one uses the same log.

Each database that acts says so at the log's store, every few seconds, under `alive`. One that finds
there another's word waits until that has been silent for a minute: after a failover it has, and the
copy goes on. Where the other one goes on speaking, both are at work, and this one must not act.
No clock is compared: what counts is whether the word changes while it is watched.

A worker that stops in order leaves a farewell, in the database and in its last word: who has both
is what that database has become, a restarted server or a promoted one, and need not wait. A copy
that was made before has not the farewell.
"""

import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from lifecycle.db.connection import fetch, statement
from purge.archive.destinations import ObjectChanged
from purge.proof.store import ProofStore

ALIVE = "alive"
SILENT = 60.0  # seconds without a new word after which another database is taken for gone


@dataclass
class Heard:
    """The word of another database, since when it is the same, and whether it ever changed."""

    word: bytes
    since: float
    speaks: bool


_heard: dict[str, Heard] = {}
_silent: ContextVar[frozenset[str]] = ContextVar("silent", default=frozenset())


@contextmanager
def silent(using: str) -> Iterator[None]:
    """For a database that is at work on nothing: it does not say so, and asks nobody."""
    before = _silent.set(_silent.get() | {using})
    try:
        yield
    finally:
        _silent.reset(before)


def place_of(using: str) -> dict[str, Any]:
    """What tells this database from a copy of it: a running server, and a database there."""
    names = ("system", "timeline", "database", "name", "started")
    return dict(zip(names, fetch(using, statement(__file__, "place"))[0], strict=True))


def speak(using: str, store: ProofStore, place: dict[str, Any], farewell: str = "") -> str:
    """Say that this database is at work, if no other one is; `farewell`: what its ledger has.

    '' where it was said; `waits` while another's silence is not long enough; `cloned` where another
    one goes on speaking. May raise what the store raises.
    """
    if using in _silent.get():
        return ""
    found = store.read(ALIVE)
    is_others = found is not None and _said(found, "place") != place
    if found is not None and is_others and (not farewell or _said(found, "farewell") != farewell):
        heard = _hear(using, found)
        if time.monotonic() - heard.since < SILENT:
            return "cloned" if heard.speaks else "waits"
    _heard.pop(using, None)
    try:
        _say(store, {"place": place, "word": secrets.token_hex(8)}, found)
    except ObjectChanged:
        return "waits"  # another worker of this database, or another database: seen the next time
    return ""


def leave(store: ProofStore, place: dict[str, Any], farewell: str) -> None:
    """Say that this database's worker stops, if the last word is of this place.

    The ledger has the farewell by then. Other workers of the place speak on, which takes it back.
    """
    found = store.read(ALIVE)
    if found is not None and _said(found, "place") == place:
        with suppress(ObjectChanged):
            word = {"place": place, "word": secrets.token_hex(8), "farewell": farewell}
            _say(store, word, found)


def _say(store: ProofStore, word: dict[str, Any], before: bytes | None) -> None:
    store.where.replace(store.prefix + ALIVE, json.dumps(word).encode(), before)


def _hear(using: str, word: bytes) -> Heard:
    """What is known of the other's word; it is watched from now on."""
    known = _heard.get(using)
    if known is None or known.word != word:
        known = _heard[using] = Heard(word, time.monotonic(), speaks=known is not None)
    return known


def _said(word: bytes, name: str) -> Any:
    try:
        return json.loads(word)[name]
    except (ValueError, KeyError, TypeError):
        return None
