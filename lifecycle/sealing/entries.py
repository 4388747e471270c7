"""Events as the entries of a log, made in the database, in bulk: by their numbers and salts."""

import json
import sys
from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from lifecycle.db.connection import fetch, statement
from lifecycle.proof.leaf import SALT_SIZE, Record, Subject
from lifecycle.proof.tree import HASH_SIZE

INNER, OUTER = b"\x36", b"\x5c"  # RFC 2104
WORDS = 1 + HASH_SIZE // 8  # words of eight bytes in which a number and its leaf come
TEXTS = {str, type(None)}
ROWS = 14  # what stands before the rows in a record: the fields of a `Record`, identities last


class Bundle(NamedTuple):
    """Events that are published together: entries as a tile has them, leaves, lines of records."""

    entries: bytes
    leaves: bytes
    records: str


def keys_of(salts: bytes) -> tuple[bytes, bytes]:
    """The salts as the inner and the outer key of HMAC, without what pads each to a block."""
    size, whole = len(salts), int.from_bytes(salts, "big")
    inner, outer = (
        (whole ^ int.from_bytes(byte * size, "big")).to_bytes(size, "big")
        for byte in (INNER, OUTER)
    )
    return inner, outer


def read_leaves(using: str, lowest: int, salts: bytes) -> tuple[list[int], bytes]:
    """The events that are there from a number on, as many numbers as there are salts.

    Their numbers in order, and their leaves one after the other; as one statement sees them.
    """
    inner, outer = keys_of(salts)
    highest = lowest + len(salts) // SALT_SIZE - 1
    params = {"lowest": lowest, "highest": highest, "inner": inner, "outer": outer}
    rows = fetch(using, statement(__file__, "leaves"), params)
    return numbered(bytes(rows[0][0] or b""))


def numbered(data: bytes) -> tuple[list[int], bytes]:
    """Of numbers with their leaves; no loop, for that takes as long as hashing them does."""
    words = array("Q", data)
    numbers = words[::WORDS]
    if sys.byteorder == "little":
        numbers.byteswap()
    found = numbers.tolist()
    if found != sorted(found):
        size = WORDS * 8
        return numbered(b"".join(sorted(data[at : at + size] for at in range(0, len(data), size))))
    leaves = array("Q", bytes(HASH_SIZE * len(found)))
    for word in range(1, WORDS):
        leaves[word - 1 :: WORDS - 1] = words[word::WORDS]
    return found, leaves.tobytes()


def read_entries(using: str, salts: Mapping[int, bytes]) -> dict[int, bytes]:
    """The entries of events by number, of those that are there."""
    if not salts:
        return {}
    params = _given(list(salts), b"".join(salts.values()))
    rows = fetch(using, statement(__file__, "entries"), params)
    return {number: bytes(entry) for number, entry in rows}


def read_bundles(using: str, events: list[int], salts: bytes, width: int) -> list[Bundle]:
    """Events in the order in which they are given, so many in a bundle.

    Of one that is not there, or is another by now, the leaves tell.
    """
    params = _given(events, salts) | {"width": width}
    rows = fetch(using, statement(__file__, "bundles"), params)
    return [Bundle(bytes(entries), bytes(leaves), records) for entries, leaves, records in rows]


def _given(events: list[int], salts: bytes) -> dict[str, Any]:
    """For `lifecycle.entries_v1`; numbers without a gap are a range, which costs it less."""
    inner, outer = keys_of(salts)
    lowest, highest = min(events), max(events)
    is_range = events == list(range(lowest, highest + 1))
    numbers = None if is_range else array_of(events)
    params = {"lowest": lowest, "highest": highest, "events": numbers}
    return params | {"inner": inner, "outer": outer}


def array_of(numbers: Iterable[int]) -> str:
    """As PostgreSQL reads an array: a driver takes longer for each than its leaf takes."""
    return f"{{{','.join(map(str, numbers))}}}"


def read_records(using: str, events: Sequence[int]) -> dict[int, Record]:
    """Events as text, of those that are there: what their entries are made of."""
    if not events:
        return {}
    rows = fetch(using, statement(__file__, "records"), _given(list(events), b""))
    found = [record_of(text) for (text,) in rows]
    return {int(each.id): each for each in found}


def record_of(text: str | bytes) -> Record:
    """A record as `lifecycle.entries_v1` writes it, and as bundles of events have it.

    Raises `ValueError` or `TypeError` for what is none.
    """
    fields = json.loads(text)
    if not isinstance(fields, list) or len(fields) < ROWS or not {*map(type, fields)} <= TEXTS:
        raise ValueError("no list of texts")
    record = Record(*fields[: ROWS - 1])
    record.identities = fields[ROWS - 1]
    record.subjects = tuple(map(Subject, fields[ROWS::2], fields[ROWS + 1 :: 2]))
    return record
