"""The events of a log as its store has them: each is checked against its leaf before it is used.

Whoever may write the store may change a bundle of events. So none is believed: of each line the
leaf is made anew, and has to be the one in the tree, whose root is signed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lifecycle.exceptions import LifecycleError
from lifecycle.proof import leaf
from lifecycle.proof.checkpoint import Checkpoint
from lifecycle.proof.merkle import verify_inclusion
from lifecycle.proof.tiled import TileReader
from lifecycle.proof.tiles import WIDTH
from lifecycle.proof.tree import HASH_SIZE
from lifecycle.sealing.entries import record_of
from purge.proof import bundle
from purge.proof.store import ProofStore


@dataclass(frozen=True)
class PublishedEvent:
    """An event as it was published: its index in the log, its salt, its fields as text."""

    index: int
    salt: bytes
    fields: dict[str, Any]
    leaf_hash: bytes  # made anew

    @property
    def record(self) -> leaf.Record:
        """What its leaf is made of."""
        return record_of(self.fields)


def read_events(
    store: ProofStore, key: bytes | None, head: Checkpoint, start: int, end: int
) -> Iterator[PublishedEvent]:
    """The events of the indexes from start to end, in order, each as it was sealed.

    `head` is the log's signed one. Raises `LifecycleError` for the first event that is missing or
    another, `ProofError` for a tile that is; `Unreachable` where the store does not answer.
    """
    reader, wanted = TileReader(store.read, head.size), start
    for path, first, last in _bundles(store):
        if first <= wanted < last and wanted < end:
            stop = min(last, end)
            yield from _checked(read_bundle(store, key, path), path, reader, head, wanted, stop)
            wanted = stop
    if wanted < end:
        raise LifecycleError(f"the event of index {wanted} is in no bundle of {store.title}")


def proven_leaves(reader: TileReader, head: Checkpoint, start: int, end: int) -> bytes:
    """The leaf hashes of a range of indexes, of tiles that lead to the signed root.

    The path of one leaf is made of all the others of its tile. Raises `ProofError`.
    """
    for index in range(start - start % WIDTH, end, WIDTH):
        path = reader.inclusion_proof(index)
        verify_inclusion(reader.leaf_hashes(index, index + 1), index, head.size, path, head.root)
    return reader.leaf_hashes(start, end)


def _bundles(store: ProofStore) -> Iterator[tuple[str, int, int]]:
    for path in store.names("events/"):
        first, _, last = path.removeprefix("events/").partition("-")
        if first.isdigit() and last.isdigit():
            yield path, int(first), int(last)


def _checked(
    events: list[PublishedEvent],
    path: str,
    reader: TileReader,
    head: Checkpoint,
    start: int,
    end: int,
) -> Iterator[PublishedEvent]:
    leaves, found = proven_leaves(reader, head, start, end), {each.index: each for each in events}
    for index in range(start, end):
        event, at = found.get(index), (index - start) * HASH_SIZE
        if event is None:
            raise LifecycleError(f"the event of index {index} is not in {path}")
        if event.leaf_hash != leaves[at : at + HASH_SIZE]:
            number = event.fields["id"]
            raise LifecycleError(f"event {number} (index {index}) in {path} is not what was sealed")
        yield event


def read_bundle(store: ProofStore, key: bytes | None, path: str) -> list[PublishedEvent]:
    """What a bundle says, proving nothing yet; `LifecycleError` where it is none."""
    stored = store.read(path)
    if stored is None:
        raise LifecycleError(f"{path} is missing in {store.title}")
    try:
        return [_event(line) for line in bundle.decode(bundle.unlock(stored, key, path))]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise LifecycleError(f"{path} has what is no event: {type(error).__name__}") from None


def _event(line: dict[str, Any]) -> PublishedEvent:
    salt, fields = bytes.fromhex(line["salt"]), line["record"]
    return PublishedEvent(int(line["index"]), salt, fields, leaf.leaf_of(record_of(fields), salt))
