"""Reading all that is published of a log: what a deep verification adds."""

from hashlib import sha256

from lifecycle.exceptions import LifecycleError
from lifecycle.proof.checkpoint import Checkpoint
from lifecycle.proof.tiled import TileReader
from lifecycle.proof.tiles import bundles_of, decode_bundle, tiles_of
from lifecycle.proof.tree import Frontier
from purge.proof.options import ProofOptions
from purge.proof.published import read_events
from purge.proof.store import ProofStore


def read_tiles(store: ProofStore, head: Checkpoint) -> str:
    """Make every tile anew from the one below, hash every entry; a line that says so.

    Raises `LifecycleError` or `ProofError` for the first that is another.
    """
    reader = TileReader(store.read, head.size)
    tree = Frontier()
    for bundle in bundles_of(head.size):
        _, index, width = bundle
        data = store.read(bundle.path) or store.read(bundle.full.path)
        if data is None:
            raise LifecycleError(f"{bundle.path} is missing")
        entries = decode_bundle(data, width)
        hashes = b"".join([sha256(b"\x00" + entry).digest() for entry in entries])
        if hashes != reader.tile(0, index):
            raise LifecycleError(f"{bundle.path} has other entries than its tile has leaves")
        tree.append(hashes)
    if tree.root() != head.root:
        raise LifecycleError("the leaves that were published add up to another root")
    _compare_levels(reader, head)
    return f"{head.origin}: all tiles and entries were read"


def _compare_levels(reader: TileReader, head: Checkpoint) -> None:
    for level, index, width in tiles_of(head.size):
        below = [reader.tile(level - 1, index * 256 + i) for i in range(width)] if level else []
        if level and reader.tile(level, index) != b"".join(map(_root_of, below)):
            raise LifecycleError(f"tile {index} of level {level} is not that of the tiles below")


def _root_of(hashes: bytes) -> bytes:
    tree = Frontier()
    tree.append(hashes)
    return tree.root()


def read_bundles(store: ProofStore, options: ProofOptions, head: Checkpoint) -> str:
    """Compare every event that was published with its leaf; a line that says so.

    Raises `LifecycleError` or `ProofError` for the first that is missing or another.
    """
    count = sum(1 for _ in read_events(store, options.key, head, 0, head.size))
    return f"{head.origin}: {count} published events are as they were sealed"
