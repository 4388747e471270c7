"""Which database this is, and whether another one uses the same log.

Each database that acts says so at the log's store, every few seconds, under `alive`. One that finds
there another's word waits until that has been silent for a minute: after a failover it has, and the
copy goes on. Where the other one goes on speaking, both are at work, and this one must not act.
No clock is compared: what counts is whether the word changes while it is watched.
"""

import json
import secrets
import time
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


def place_of(using: str) -> dict[str, Any]:
    """What tells this database from a copy of it: a running server, and a database there."""
    names = ("system", "timeline", "database", "name", "started")
    return dict(zip(names, fetch(using, statement(__file__, "place"))[0], strict=True))


def speak(using: str, store: ProofStore, place: dict[str, Any]) -> str:
    """Say that this database is at work, if no other one is.

    '' where it was said; `waits` while another's silence is not long enough; `cloned` where another
    one goes on speaking. May raise what the store raises.
    """
    found = store.read(ALIVE)
    if found is not None and _place_in(found) != place:
        heard = _hear(using, found)
        if time.monotonic() - heard.since < SILENT:
            return "cloned" if heard.speaks else "waits"
    _heard.pop(using, None)
    word = json.dumps({"place": place, "word": secrets.token_hex(8)}).encode()
    try:
        store.where.replace(store.prefix + ALIVE, word, found)
    except ObjectChanged:
        return "waits"  # another worker of this database, or another database: seen the next time
    return ""


def _hear(using: str, word: bytes) -> Heard:
    """What is known of the other's word; it is watched from now on."""
    known = _heard.get(using)
    if known is None or known.word != word:
        known = _heard[using] = Heard(word, time.monotonic(), speaks=known is not None)
    return known


def _place_in(word: bytes) -> Any:
    try:
        return json.loads(word)["place"]
    except (ValueError, KeyError, TypeError):
        return None
