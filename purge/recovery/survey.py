"""What was published and is not here: read from the store, and proven by the signed checkpoint.

The tree that this ledger has sealed is continued by the entries that were published, to the root
that was signed: so of what is read nothing is another's, and nothing is missing in between. An
entry has number, kind, policy and table of its event, and names nobody.
"""

from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import NamedTuple

from lifecycle.exceptions import LifecycleError
from lifecycle.hints import database_option
from lifecycle.proof.canonical import HEAD, Text, decode_fields
from lifecycle.proof.checkpoint import Checkpoint, open_checkpoint
from lifecycle.proof.errors import Unverified
from lifecycle.proof.tiled import Edge, TileReader
from lifecycle.proof.tiles import CHECKPOINT, WIDTH, Tile, bundles_of, decode_bundle
from lifecycle.proof.tree import HASH_SIZE, Frontier
from lifecycle.sealing.log import Log, read_log, read_seals
from purge.proof.detect import later_origin
from purge.proof.options import ProofOptions
from purge.proof.ship import store_of, unpacked
from purge.proof.store import ProofStore

PART = 10_000  # leaves that are compared at once


class Told(NamedTuple):
    """What events are counted by: their kind, policy and table."""

    kind: str
    policy: str
    model: str


@dataclass
class Totals:
    """How many events and rows of each."""

    events: Counter[Told] = field(default_factory=Counter)
    rows: Counter[Told] = field(default_factory=Counter)

    def add(self, fields: list[Text]) -> None:
        """Count an event by the fields of its entry."""
        _, kind, policy, model, count = (each or "" for each in fields[:5])
        told = Told(kind, policy, model)
        self.events[told] += 1
        self.rows[told] += int(count)


@dataclass(frozen=True)
class Survey:
    """A log as it was published, from the size on up to which this ledger has the same.

    `numbers` and `leaves` are those of the events from the index `common` on.
    """

    log: Log
    head: Checkpoint
    checkpoint: bytes
    common: int
    frontier: tuple[bytes, ...]
    numbers: "array[int]"
    leaves: bytes
    totals: Totals

    def leaf(self, index: int) -> bytes:
        """The hash of a leaf from `common` on."""
        place = (index - self.common) * HASH_SIZE
        return self.leaves[place : place + HASH_SIZE]


def survey(using: str, options: ProofOptions) -> Survey:
    """Read what was published beyond what this ledger shares with it.

    Raises `LifecycleError` where nothing is published or the site went on under a later log, and
    `ProofError` where the store does not have what was signed.
    """
    log = read_log(using)
    store = store_of(options, log) if log else None
    data = store.read(CHECKPOINT) if store else None
    if log is None or store is None or data is None:
        raise LifecycleError("Nothing that this site has signed is published.")
    if later := later_origin(options, log):
        text = f"After this backup the ledger went on as {later}: what was published is of two logs"
        anew = f"`manage.py lifecycle proof --begin-anew{database_option(using)}`"
        raise LifecycleError(f"{text}. Restore a newer backup, or {anew}.")
    head = open_checkpoint(data, [options.verifier_of(log.incarnation)]).checkpoint
    reader = TileReader(store.read, head.size)
    common = _common(using, log, reader)
    return _read(log, store, head, data, common, _tree_at(using, log, common))


def _common(using: str, log: Log, reader: TileReader) -> int:
    """The size up to which the sealed tree has the leaves that were published."""
    most = min(log.size, reader.size)
    for start in range(log.shipped, most, PART):
        end = min(start + PART, most)
        here, there = read_seals(using, log, start, end).leaves, reader.leaf_hashes(start, end)
        if here != there:
            places = range(0, len(here), HASH_SIZE)
            same = (here[at : at + HASH_SIZE] == there[at : at + HASH_SIZE] for at in places)
            return start + list(same).index(False)
    return most


def _tree_at(using: str, log: Log, size: int) -> Frontier:
    edge = Edge(log.shipped, unpacked(log.shipped, log.edge))
    tree = edge.frontier()
    tree.append(read_seals(using, log, log.shipped, size).leaves)
    return tree


def _read(
    log: Log, store: ProofStore, head: Checkpoint, data: bytes, common: int, tree: Frontier
) -> Survey:
    hashes, totals = tuple(tree.hashes), Totals()
    numbers, leaves = array("q"), bytearray()
    for entry in published(store, common, head.size):
        leaf, fields = sha256(b"\x00" + entry).digest(), fields_of(entry)
        numbers.append(int(fields[0] or 0))
        leaves += leaf
        totals.add(fields)
    tree.append(bytes(leaves))
    if tree.root() != head.root:
        raise Unverified("what this ledger has and the entries in the store give another root")
    return Survey(log, head, data, common, hashes, numbers, bytes(leaves), totals)


def published(store: ProofStore, start: int, size: int) -> Iterator[bytes]:
    """The entries of a log of this size from an index on; `Unverified` where one is not there."""
    for bundle in bundles_of(size, start):
        entries = _entries(store, bundle) or _entries(store, bundle.full)
        if entries is None:
            raise Unverified(f"{bundle.path} is not there")
        first = bundle.number * WIDTH
        yield from entries[max(start - first, 0) : bundle.width]


def _entries(store: ProofStore, tile: Tile) -> list[bytes] | None:
    data = store.read(tile.path)
    return None if data is None else decode_bundle(data, tile.width)


def fields_of(entry: bytes) -> list[Text]:
    """The fields of an event's entry; `Unverified` where it is none of a form that we know."""
    if not entry.startswith(HEAD):
        raise Unverified("an entry is of another version than this code knows")
    return decode_fields(entry[len(HEAD) :])
