"""The events of a log as its store has them: each is checked against its leaf before it is used.

Whoever may write the store may change a bundle of events. So none is believed: of each line the
leaf is made anew, and has to be the one in the tree, whose root is signed.
"""

from collections.abc import Callable, Iterator
from functools import partial

from lifecycle.exceptions import LifecycleError
from lifecycle.proof.checkpoint import Checkpoint
from lifecycle.proof.errors import Unverified
from lifecycle.proof.merkle import verify_inclusion
from lifecycle.proof.tiled import TileReader
from lifecycle.proof.tiles import WIDTH, Tile, decode_bundle
from lifecycle.proof.tree import HASH_SIZE
from purge.archive.destinations import Unreachable
from purge.proof import bundle
from purge.proof.bundle import Line
from purge.proof.store import ProofStore

#: The leaves that were signed, one after the other, of the indexes from one to another.
LeavesOf = Callable[[int, int], bytes]


def read_events(
    store: ProofStore, key: bytes | None, head: Checkpoint, start: int, end: int
) -> Iterator[Line]:
    """The events of the indexes from start to end, in order, each as it was sealed.

    `head` is the log's signed one. Raises `LifecycleError` for the first event that is missing or
    another, `ProofError` for a tile that is; `Unreachable` where the store does not answer.
    """
    leaves_of = partial(proven_leaves, TileReader(store.read, head.size), head)
    for lines in read_lines(store, key, leaves_of, start, end):
        yield from lines


def read_lines(
    store: ProofStore, key: bytes | None, leaves_of: LeavesOf, start: int, end: int
) -> Iterator[list[Line]]:
    """The same, a bundle at a time, of a tree whose leaves are known.

    A bundle that a broken-off attempt has left, with other events than were signed, is passed over
    where another one has them.
    """
    place, why = start, ""
    for path in bundle.paths_from(store, start):
        first, last = bundle.span_of(path)
        if place >= end or first >= end:
            break
        if not first <= place < min(last, end):
            continue
        try:
            lines = read_bundle(store, key, path)[place - first : min(last, end) - first]
            _check(lines, path, place, leaves_of(place, min(last, end)))
        except Unreachable:
            raise
        except LifecycleError as error:
            why = why or str(error)
        else:
            yield lines
            place, why = min(last, end), ""
    if place < end:
        raise LifecycleError(why or f"the event of index {place} is in no bundle of {store.title}")


def proven_leaves(reader: TileReader, head: Checkpoint, start: int, end: int) -> bytes:
    """The leaf hashes of a range of indexes, of tiles that lead to the signed root.

    The path of one leaf is made of all the others of its tile. Raises `ProofError`.
    """
    for index in range(start - start % WIDTH, end, WIDTH):
        path = reader.inclusion_proof(index)
        verify_inclusion(reader.leaf_hashes(index, index + 1), index, head.size, path, head.root)
    return reader.leaf_hashes(start, end)


def entries_of(store: ProofStore, tile: Tile) -> list[bytes]:
    """The entries of a bundle of the log, proving nothing yet; if need be of the full one that it
    has become. `Unverified` where neither is there, `Malformed` where it is none."""
    data = store.read(tile.path)
    if data is not None:
        return decode_bundle(data, tile.width)
    data = store.read(tile.full.path)
    if data is None:
        raise Unverified(f"{tile.path} is missing in {store.title}")
    return decode_bundle(data)[: tile.width]


def _check(lines: list[Line], path: str, start: int, leaves: bytes) -> None:
    """Raises `LifecycleError` for the first event that is not there, or not what was sealed."""
    for at in range(0, len(leaves), HASH_SIZE):
        place = at // HASH_SIZE
        if place >= len(lines):
            raise LifecycleError(f"the event of index {start + place} is not in {path}")
        if lines[place].leaf_hash != leaves[at : at + HASH_SIZE]:
            event = f"event {lines[place].record.id} (index {start + place})"
            raise LifecycleError(f"{event} in {path} is not what was sealed")


def read_bundle(store: ProofStore, key: bytes | None, path: str) -> list[Line]:
    """What a bundle says, proving nothing yet; `LifecycleError` where it is none."""
    stored = store.read(path)
    if stored is None:
        raise LifecycleError(f"{path} is missing in {store.title}")
    return bundle.decode(bundle.unlock(stored, key, path), bundle.span_of(path)[0])
