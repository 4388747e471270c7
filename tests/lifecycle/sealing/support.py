"""Events that say nothing, and what the log must be by them."""

import hashlib
from typing import Any

import psycopg

from lifecycle.db.connection import fetch
from lifecycle.proof import leaf
from lifecycle.proof.tree import Frontier
from lifecycle.sealing.entries import read_records
from lifecycle.sealing.log import open_log, read_log, read_seals
from tests.support import session

WRITE = (
    "INSERT INTO lifecycle_event (kind, policy, model, count, recorded_at, cause, actor, detail)"
    " SELECT 'settled', '', '', 0, clock_timestamp(), '', '', '{{}}' FROM generate_series(1, {})"
    " RETURNING id"
)


def begin() -> None:
    """A log that is begun."""
    open_log("default", 1, "example.org/lifecycle/1")


def write(count: int = 1, via: "psycopg.Connection[Any] | None" = None) -> list[int]:
    """Append events; committed at once, or by whoever has the session."""
    if via is None:
        with session() as own:
            return write(count, own)
    return [number for (number,) in via.execute(WRITE.format(count)).fetchall()]


def sealed() -> list[int]:
    """The numbers of the sealed events, by their indexes."""
    log = read_log("default")
    assert log
    return read_seals("default", log, 0, log.size).events


def check_log() -> list[int]:
    """That every event is sealed once, and the tree is that of the events; returns their order."""
    log = read_log("default")
    assert log
    found = read_seals("default", log, 0, log.size)
    every = [number for (number,) in fetch("default", "SELECT id FROM lifecycle_event ORDER BY 1")]
    assert sorted(found.events) == every
    records, salts = read_records("default", every), found.salt_of()
    leaves = [leaf.leaf_of(records[number], salts[number]) for number in found.events]
    assert b"".join(leaves) == found.leaves
    tree = Frontier()
    tree.append(found.leaves)
    assert tree.root() == log.frontier().root()
    assert len(set(salts.values())) == len(every)
    return found.events


def root_by_hand(leaves: list[bytes]) -> bytes:
    """The root of a tree as RFC 6962 defines it, by recursion."""
    if len(leaves) == 1:
        return leaves[0]
    half = 1 << (len(leaves) - 1).bit_length() - 1
    both = root_by_hand(leaves[:half]) + root_by_hand(leaves[half:])
    return hashlib.sha256(b"\x01" + both).digest()
