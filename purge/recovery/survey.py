"""What was published and is not here: read from the store, and proven by the signed checkpoint.

The tree that this ledger has sealed is continued by the entries that were published, to the root
that was signed: so of what is read nothing is another's, and nothing is missing in between. An
entry has number, kind, policy and table of its event, and names nobody.
"""

from collections import Counter, deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import NamedTuple

from lifecycle.exceptions import LifecycleError
from lifecycle.hints import database_option
from lifecycle.proof.canonical import HEAD, Text, decode_fields
from lifecycle.proof.checkpoint import Checkpoint, open_checkpoint
from lifecycle.proof.errors import Unverified
from lifecycle.proof.tiled import Edge, TileReader
from lifecycle.proof.tiles import CHECKPOINT, WIDTH, bundles_of
from lifecycle.proof.tree import HASH_SIZE, Frontier, hash_leaves
from lifecycle.sealing.log import Log, read_log, read_seals
from purge.proof.detect import later_origin
from purge.proof.options import ProofOptions
from purge.proof.published import entries_of, proven_leaves
from purge.proof.ship import store_of, unpacked
from purge.proof.store import AT_ONCE, ProofStore

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
        _, kind, policy, model, count = (each or "" for each in fields)
        told = Told(kind, policy, model)
        self.events[told] += 1
        self.rows[told] += int(count)


@dataclass(frozen=True)
class Survey:
    """A log as it was published, from the size on up to which this ledger has the same.

    `highest` is the highest number of the events from the index `common` on, 0 where there is none.
    """

    log: Log
    head: Checkpoint
    checkpoint: bytes
    common: int
    frontier: tuple[bytes, ...]
    highest: int
    totals: Totals
    reader: TileReader

    def leaves_of(self, start: int, end: int) -> bytes:
        """The hashes of the leaves from one index to another, one after the other.

        Of the tiles, so that no more than some of them are in memory; `ProofError` where they do
        not lead to the signed root.
        """
        return proven_leaves(self.reader, self.head, start, end)


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
    tree = _tree_at(using, log, common)
    hashes = tuple(tree.hashes)
    highest, totals = _read(store, head, common, tree)
    return Survey(log, head, data, common, hashes, highest, totals, reader)


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


def _read(store: ProofStore, head: Checkpoint, common: int, tree: Frontier) -> tuple[int, Totals]:
    """The highest number, and how many of each; `Unverified` where another tree was signed."""
    highest, totals = 0, Totals()
    for entries in published_tiles(store, common, head.size):
        tree.append(hash_leaves(entries))
        for fields in map(fields_of, entries):
            highest = max(highest, int(fields[0] or 0))
            totals.add(fields)
    if tree.root() != head.root:
        raise Unverified("what this ledger has and the entries in the store give another root")
    return highest, totals


def published(store: ProofStore, start: int, size: int) -> Iterator[bytes]:
    """The entries of a log of this size from an index on; `Unverified` where one is not there."""
    for entries in published_tiles(store, start, size):
        yield from entries


def published_tiles(store: ProofStore, start: int, size: int) -> Iterator[list[bytes]]:
    """The same, as many together as a tile has; some are read ahead, for a bucket is far."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        ahead = deque[tuple[int, Future[list[bytes]]]]()
        for tile in bundles_of(size, start):
            low = max(start - tile.number * WIDTH, 0)
            ahead.append((low, pool.submit(entries_of, store, tile)))
            if len(ahead) > AT_ONCE:
                low, read = ahead.popleft()
                yield read.result()[low:]
        for low, read in ahead:
            yield read.result()[low:]


def fields_of(entry: bytes) -> list[Text]:
    """Number, kind, policy, table and count of an event, by its entry.

    `Unverified` where that is none of a form that we know.
    """
    if not entry.startswith(HEAD):
        raise Unverified("an entry is of another version than this code knows")
    return decode_fields(entry[len(HEAD) :], most=5)
