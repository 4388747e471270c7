"""A log as a ledger's, and certificates of what it says, without a database."""

from collections.abc import Callable
from hashlib import sha256

from lifecycle.proof import leaf
from lifecycle.proof.certificate import Certificate
from lifecycle.proof.checkpoint import Checkpoint
from lifecycle.proof.keys import COSIGNATURE, SignerKey
from lifecycle.proof.leaf import Record, Subject
from lifecycle.proof.merkle import inclusion_proof
from lifecycle.proof.note import sign
from lifecycle.proof.story import Part, StoryEvent
from lifecycle.proof.tiled import Edge, TileReader

ORIGIN = "example.org/lifecycle/1"
LOG = SignerKey(ORIGIN, bytes(range(32)))
WITNESS = SignerKey("witness.example/w1", bytes(range(1, 33)), COSIGNATURE)
LINES = (("Legal basis", "Art. 17 GDPR"), ("Backups expire on", "2026-12-29"))


def record(number: int, kind: str, **said: object) -> Record:
    """An event of a policy on orders, as text."""
    fields: dict[str, object] = {
        "id": str(number), "kind": kind, "policy": "old-orders", "model": "shop.order",
        "count": "1", "basis": None, "due_at": "1700000000000000",
        "recorded_at": str(1_700_000_000_000_000 + number), "run": None,
    }  # fmt: skip
    return Record(**(fields | said))  # type: ignore[arg-type]


ROW = (Subject("17", "00ff00ff00ff00ff"),)
STORY = {
    1: record(1, "policy_changed", count="0", detail='{"fingerprint": "0123456789abcdef"}'),
    5: record(5, "expiry_scheduled", subjects=ROW),
    9: record(9, "tombstoned", subjects=(Subject("3"), *ROW, Subject("99")), count="3", run="4"),
    12: record(
        12, "purged", subjects=(*ROW, Subject("18")), count="2", run="5", actor="dpo@example.org",
        cause="request", detail='{"cascade": {"shop.line": 3}}',
    ),
}  # fmt: skip
SIZE = 300


def salt(number: int) -> bytes:
    return sha256(b"salt %d" % number).digest()[: leaf.SALT_SIZE]


def leaves() -> bytes:
    """Event n has the index n - 1; those that are no part of the story are other leaves."""
    known = {number - 1: leaf.leaf_of(each, salt(number)) for number, each in STORY.items()}
    return b"".join([known.get(i, sha256(b"other %d" % i).digest()) for i in range(SIZE)])


def reader() -> TileReader:
    edge = Edge()
    tiles = {tile.path: data for tile, data in edge.append(leaves())}
    tiles |= {tile.path: data for tile, data in edge.partial()}
    return TileReader(tiles.get, SIZE)


def shown(number: int, wanted: Callable[[tuple[leaf.Text, ...]], bool]) -> StoryEvent:
    """An event with those of its parts that are wanted."""
    event, parts = STORY[number], list(leaf.parts_of(STORY[number]))
    hashes = leaf.hash_parts(event, salt(number))
    frontier = Edge()
    frontier.append(b"".join(hashes))
    held = {tile.path: data for tile, data in frontier.partial()}
    nodes = TileReader(held.get, len(hashes)).nodes
    opened = tuple(
        Part.opened(i, inclusion_proof(i, len(parts), nodes), blind, each)
        for i, each in enumerate(parts)
        for blind in [leaf.blind_of(salt(number), each)]
        if wanted(each)
    )  # fmt: skip
    fields = leaf.entry_fields(event, len(hashes), leaf.root_of_parts(hashes))
    return StoryEvent(fields, number - 1, tuple(reader().inclusion_proof(number - 1)), opened)


def certificate() -> Certificate:
    """Of the row 17, opened, cosigned by a witness."""
    of_row = lambda part: part[0] != "subject" or part[2] == "17"  # noqa: E731
    events = [shown(number, of_row) for number in (12, 9, 5, 1)]
    head = Checkpoint(ORIGIN, SIZE, reader().root())
    return Certificate.make(events, sign(head.text, LOG, WITNESS), ORIGIN, LINES, LOG)
