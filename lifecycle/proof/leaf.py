"""An event as the entry of a log: its canonical form, in which nobody is named.

    entry  = b"lifecycle.event" version fields
    field  = length (4 bytes, big endian; ff ff ff ff for one that is absent) bytes

Fields are text: integers decimal, times microseconds since 1970 UTC, hashes hexadecimal. What
names somebody is no field, but a part of the event's own small tree (RFC 6962), whose size and
root the entry has: `cause`, `actor`, `settled`, `detail` where there are such, then each subject.

    blind  = HMAC-SHA-256(salt of the event, b"lifecycle.part" version fields of the part)
    part   = b"lifecycle.part" version blind, then the same fields

So a part is opened by its blind and its fields, and opens no other one; without the salt nobody
can try out what a part says. `lifecycle.leaf_v1` makes the same bytes in the database.
"""

import hmac
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, NamedTuple

from lifecycle.proof.canonical import HEAD, PART_HEAD, Text, encode_fields

SALT_SIZE = 16


class Subject(NamedTuple):
    """A row of an event: its key as PostgreSQL's text, its identity in hexadecimal."""

    key: Text
    identity: Text = None


@dataclass(slots=True)  # frozen ones take several times as long to make
class Record:
    """An event as text, as `lifecycle.entries_v1` gives it: what its entry is made of."""

    id: str
    kind: str
    policy: str
    model: str
    count: str
    basis: Text
    due_at: Text
    recorded_at: Text
    run: Text
    cause: str = ""
    actor: str = ""
    settled: Text = None
    detail: str = "{}"
    subjects: tuple[Subject, ...] = ()
    identities: Text = None  # of rows that another event names; no leaf has them


def told(record: Record) -> dict[str, Any]:
    """The fields of a record by their names."""
    return {each: getattr(record, each) for each in Record.__slots__}


def parts_of(record: Record) -> Iterator[tuple[Text, ...]]:
    """The fields of each part of an event's tree, in order; the first says which part it is."""
    if record.cause:
        yield "cause", record.cause
    if record.actor:
        yield "actor", record.actor
    if record.settled is not None:
        yield "settled", record.settled
    if record.detail != "{}":
        yield "detail", record.detail
    for subject in record.subjects:
        yield "subject", record.model, subject.key, subject.identity


def blind_of(salt: bytes, part: Iterable[Text]) -> bytes:
    """What hides a part, and opens it: the commitment to its fields under the event's salt."""
    return hmac.digest(salt, PART_HEAD + encode_fields(part), "sha256")


def hash_parts(record: Record, salt: bytes) -> list[bytes]:
    """The leaf hashes of an event's tree."""
    return [_hash_part(salt, encode_fields(part)) for part in parts_of(record)]


def _hash_part(salt: bytes, fields: bytes) -> bytes:
    blind = hmac.digest(salt, PART_HEAD + fields, "sha256")
    return sha256(b"\x00" + PART_HEAD + blind + fields).digest()


def root_of_parts(hashes: list[bytes]) -> Text:
    """The root of an event's tree in hexadecimal; None where it has no part."""
    if not hashes:
        return None
    while len(hashes) > 1:
        pairs = [
            sha256(b"\x01" + left + right).digest()
            for left, right in zip(hashes[::2], hashes[1::2], strict=False)
        ]
        hashes = [*pairs, *hashes[len(pairs) * 2 :]]
    return hashes[0].hex()


def entry_fields(record: Record, parts: int, root: Text) -> tuple[Text, ...]:
    """The fields of the canonical form of an event whose tree has so many parts and this root."""
    return (
        record.id, record.kind, record.policy, record.model, record.count, record.basis,
        record.due_at, record.recorded_at, record.run, str(parts), root,
    )  # fmt: skip


def encode_entry(record: Record, parts: int, root: Text) -> bytes:
    """The canonical form of an event whose tree has so many parts and this root."""
    return HEAD + encode_fields(entry_fields(record, parts, root))


def entry_of(record: Record, salt: bytes) -> bytes:
    """The canonical form of an event."""
    hashes = hash_parts(record, salt)
    return encode_entry(record, len(hashes), root_of_parts(hashes))


def leaf_of(record: Record, salt: bytes) -> bytes:
    """The hash of the leaf that stands for an event."""
    return sha256(b"\x00" + entry_of(record, salt)).digest()
