"""Merkle trees of RFC 6962 over SHA-256: hashes of leaves and nodes, the root of a growing tree.

Hashes in bulk stand one after the other in `bytes`, as in a tile. Nothing here stores a tree, and
nothing recurses: a core hashes about a million nodes a second.
"""

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from itertools import pairwise
from typing import NamedTuple

from lifecycle.proof.errors import Malformed

HASH_SIZE = 32
EMPTY_ROOT = sha256(b"").digest()
#: sizes and indexes are int64 in what others wrote
MAX_SIZE = 2**63 - 1
_LEAF, _NODE = b"\x00", b"\x01"


class Node(NamedTuple):
    """The root of a perfect part of the tree: 2**level leaves, from number * 2**level on."""

    level: int
    number: int


ReadNodes = Callable[[Sequence[Node]], Sequence[bytes]]


def hash_leaf(entry: bytes) -> bytes:
    """The hash of a leaf, of the entry that it stands for."""
    return sha256(_LEAF + entry).digest()


def hash_leaves(entries: Iterable[bytes]) -> bytes:
    """The hashes of leaves, one after the other, as `Frontier.append` takes them."""
    return b"".join([sha256(_LEAF + entry).digest() for entry in entries])


def hash_node(left: bytes, right: bytes) -> bytes:
    """The hash of a node, of those of its two children."""
    return sha256(_NODE + left + right).digest()


def hash_pairs(hashes: bytes) -> bytes:
    """One level up: of an even number of hashes, the hashes of their parents."""
    pairs = range(0, len(hashes), 2 * HASH_SIZE)
    return b"".join([sha256(_NODE + hashes[i : i + 64]).digest() for i in pairs])


def split(hashes: bytes) -> list[bytes]:
    """Hashes that stand one after the other, each by itself; raises `Malformed`."""
    if len(hashes) % HASH_SIZE:
        raise Malformed(f"{len(hashes)} bytes are no whole number of hashes")
    return [hashes[i : i + HASH_SIZE] for i in range(0, len(hashes), HASH_SIZE)]


def check_hashes(hashes: Iterable[bytes]) -> None:
    """Raises `Malformed` unless each has the length of a hash."""
    if any(len(each) != HASH_SIZE for each in hashes):
        raise Malformed(f"a hash has {HASH_SIZE} bytes")


def check_size(*numbers: int) -> None:
    """Raises `Malformed` unless the numbers ascend from 0 to what an int64 holds."""
    if any(a > b for a, b in pairwise((0, *numbers, MAX_SIZE))):
        raise Malformed(f"no sizes of a tree: {', '.join(map(str, numbers))}")


class Frontier:
    """The right edge of a growing tree: what its root, and every later one, is made of.

    At most 63 hashes, the roots of its perfect parts, the largest first: `size` and `hashes` are
    all that has to be kept between two processes. Appending costs two hashes a leaf at most.
    """

    def __init__(self, size: int = 0, hashes: Sequence[bytes] = ()) -> None:
        check_size(size)
        check_hashes(hashes)
        if len(hashes) != size.bit_count():
            raise Malformed(f"a tree of {size} has {size.bit_count()} parts, not {len(hashes)}")
        self.size, self._parts = size, dict(zip(_levels(size), hashes, strict=True))

    @property
    def hashes(self) -> list[bytes]:
        """The roots of the perfect parts, the largest first."""
        return [self._parts[level] for level in _levels(self.size)]

    def append(self, leaf_hashes: bytes) -> None:
        """Add leaves by their hashes, one after the other; raises `Malformed`, then adding none."""
        if len(leaf_hashes) % HASH_SIZE:
            raise Malformed(f"{len(leaf_hashes)} bytes are no whole number of hashes")
        check_size(self.size, self.size + len(leaf_hashes) // HASH_SIZE)
        self.size += len(leaf_hashes) // HASH_SIZE
        level, hashes = 0, leaf_hashes
        while hashes:
            hashes = self._parts.pop(level, b"") + hashes
            if len(hashes) % (2 * HASH_SIZE):
                self._parts[level] = hashes[-HASH_SIZE:]
                hashes = hashes[:-HASH_SIZE]
            level, hashes = level + 1, hash_pairs(hashes)

    def root(self) -> bytes:
        """The root of the tree as it is now."""
        return fold(self.hashes) if self.size else EMPTY_ROOT


def _levels(size: int) -> list[int]:
    """The levels of a tree's perfect parts, the largest first."""
    return [level for level in reversed(range(size.bit_length())) if size >> level & 1]


def fold(parts: Sequence[bytes]) -> bytes:
    """The root of perfect parts of descending size."""
    root = parts[-1]
    for part in reversed(parts[:-1]):
        root = hash_node(part, root)
    return root


def parts_of(start: int, end: int) -> list[Node]:
    """The perfect parts of the subtree of leaves from start to end, the largest first."""
    nodes = []
    for level in _levels(end - start):
        nodes.append(Node(level, start >> level))
        start += 1 << level
    return nodes


def root_of(size: int, nodes: ReadNodes) -> bytes:
    """The root of the first leaves of a tree, read of its nodes."""
    check_size(size)
    return fold(nodes(parts_of(0, size))) if size else EMPTY_ROOT
