"""The log of a ledger as the database has it: its row, and what else is noted there."""

import json
from dataclasses import dataclass
from typing import Any

from lifecycle.db.connection import fetch, scalar, statement
from lifecycle.proof.leaf import SALT_SIZE
from lifecycle.proof.tree import HASH_SIZE, Frontier, split

LOCK = "proof log"  # who seals or ships has it


@dataclass(frozen=True)
class Log:
    """A log's row: how far its events are sealed and shipped. See `lifecycle.models.SealedLog`."""

    incarnation: int
    origin: str
    size: int
    frontier_hashes: bytes
    last_event: int
    gaps: list[dict[str, Any]]
    shipped: int
    shipping: int | None
    edge: bytes
    checkpoint: str
    witnessed: dict[str, Any]
    alarm: dict[str, Any]
    farewell: str

    def frontier(self) -> Frontier:
        """The right edge of the sealed tree."""
        return Frontier(self.size, split(self.frontier_hashes))


def read_log(using: str, incarnation: int | None = None) -> Log | None:
    """The log in use, or one of a number; None where there is none."""
    rows = fetch(using, statement(__file__, "read_log"), {"incarnation": incarnation})
    if not rows:
        return None
    number, origin, size, frontier, last, gaps, shipped, shipping, edge, *rest = rows[0]
    note, said, alarm, farewell = rest
    return Log(
        number, origin, size, bytes(frontier), last, json.loads(gaps), shipped, shipping,
        bytes(edge), note, json.loads(said), json.loads(alarm), farewell,
    )  # fmt: skip


def open_log(using: str, incarnation: int, origin: str) -> Log:
    """Begin a log under an origin, unless one has the number; returns the one that has it."""
    params = {"incarnation": incarnation, "origin": origin}
    scalar(using, statement(__file__, "open_log"), params)
    log = read_log(using, incarnation)
    if log is None:
        raise LookupError(f"log {incarnation}")
    return log


def try_lock(using: str) -> bool:
    """Have the log alone to the end of the transaction; False where another session has it."""
    return bool(scalar(using, statement(__file__, "try_lock"), {"name": LOCK}))


def note(using: str, log: Log, edge: bytes | None = None, **fields: Any) -> None:
    """Write some fields of a log's row, by their names, and the partial tiles that are shipped."""
    params = {"log": log.incarnation, "fields": json.dumps(fields), "edge": edge}
    fetch(using, statement(__file__, "note"), params)


def joined(hashes: list[bytes]) -> bytes:
    """Hashes one after the other, as a log's row has them."""
    return b"".join(hashes)


def read_seals(using: str, log: Log, start: int, end: int) -> "Sealed":
    """What is sealed under the indexes from start to end; raises `LookupError` unless all is."""
    params = {"log": log.incarnation, "start": start, "end": end}
    rows = fetch(using, statement(__file__, "seals"), params)
    events = [int(number) for text, _, _ in rows for number in text.split(",")]
    leaves, salts = (b"".join([bytes(row[at]) for row in rows]) for at in (1, 2))
    if [len(events), len(leaves) // HASH_SIZE, len(salts) // SALT_SIZE] != [end - start] * 3:
        raise LookupError(f"{log.origin}: leaves {start} to {end} are not all in the table")
    return Sealed(start, events, leaves, salts)


@dataclass(frozen=True)
class Sealed:
    """Events of consecutive indexes, their leaves and salts one after the other."""

    start: int
    events: list[int]
    leaves: bytes
    salts: bytes

    def salt_of(self) -> dict[int, bytes]:
        """The salt of each event by its number."""
        places = range(0, len(self.salts), SALT_SIZE)
        salts = (self.salts[at : at + SALT_SIZE] for at in places)
        return dict(zip(self.events, salts, strict=True))


def index_of(using: str, event: int) -> tuple[int, int] | None:
    """The log and the index under which an event is sealed; None where it is not."""
    rows = fetch(using, statement(__file__, "index_of"), {"event": event})
    return (rows[0][0], rows[0][1]) if rows else None


def is_published(event: int, using: str) -> bool:
    """Whether an event is in what its log has published, as the log's row says."""
    place = index_of(using, event)
    log = read_log(using, place[0]) if place else None
    return bool(place and log and place[1] < log.shipped)
