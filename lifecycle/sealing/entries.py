"""Events as the entries of a log, made in the database, in bulk: by their numbers and salts."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from lifecycle.db.connection import fetch, statement
from lifecycle.proof.leaf import SALT_SIZE, Record, Subject

INNER, OUTER = b"\x36", b"\x5c"  # RFC 2104
NARROW = 1024  # numbers that one question may span, however few of them are wanted
WIDEST = 4  # numbers for each that is wanted

Salts = dict[int, bytes]


def keys_of(salts: bytes) -> tuple[bytes, bytes]:
    """The salts as the inner and the outer key of HMAC, without what pads each to a block."""
    size, whole = len(salts), int.from_bytes(salts, "big")
    inner, outer = (
        (whole ^ int.from_bytes(byte * size, "big")).to_bytes(size, "big")
        for byte in (INNER, OUTER)
    )
    return inner, outer


def read_leaves(using: str, lowest: int, salts: bytes) -> list[tuple[int, bytes]]:
    """The leaf of each event that is there from a number on, as many numbers as there are salts.

    In the order of their numbers, as one statement sees them.
    """
    inner, outer = keys_of(salts)
    highest = lowest + len(salts) // SALT_SIZE - 1
    params = {"lowest": lowest, "highest": highest, "inner": inner, "outer": outer}
    rows = fetch(using, statement(__file__, "leaves"), params)
    return _numbered(rows[0][0] or b"")


def _numbered(data: bytes) -> list[tuple[int, bytes]]:
    lines = sorted(data[start : start + 40] for start in range(0, len(data), 40))
    return [(int.from_bytes(line[:8], "big"), line[8:]) for line in lines]


def read_entries(using: str, salts: Salts) -> dict[int, bytes]:
    """The entries of events by number, of those that are there."""
    return {number: entry for block in blocks(salts) for number, entry in _of(using, block, salts)}


def blocks(numbers: Iterable[int]) -> Iterator[list[int]]:
    """The numbers in ascending order, in blocks that are dense enough to be read as a range."""
    block: list[int] = []
    for number in sorted(numbers):
        if block and number - block[0] >= max(NARROW, WIDEST * len(block)):
            yield block
            block = []
        block.append(number)
    if block:
        yield block


def _of(using: str, block: Sequence[int], salts: Salts) -> list[tuple[int, bytes]]:
    none = bytes(SALT_SIZE)
    whole = range(block[0], block[-1] + 1)
    inner, outer = keys_of(b"".join([salts.get(number, none) for number in whole]))
    params = {
        "lowest": block[0], "highest": block[-1], "events": list(block),
        "inner": inner, "outer": outer,
    }  # fmt: skip
    rows = fetch(using, statement(__file__, "entries"), params)
    return [(number, bytes(entry)) for number, entry in rows]


def read_texts(using: str, events: Sequence[int]) -> list[str]:
    """Events as JSON in the order in which they are given, of those that are there."""
    rows = fetch(using, statement(__file__, "records"), {"events": list(events)})
    return [text for (text,) in rows]


def read_records(using: str, events: Sequence[int]) -> dict[int, Record]:
    """Events as text, of those that are there: what their entries are made of."""
    found = map(json.loads, read_texts(using, events))
    return {int(each["id"]): record_of(each) for each in found}


def record_of(found: dict[str, Any]) -> Record:
    """A record as `lifecycle.records_v1` writes it, and as bundles of events have it."""
    subjects = tuple(Subject(*each) for each in found["subjects"])
    return Record(**(found | {"subjects": subjects}))
