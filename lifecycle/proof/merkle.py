"""Inclusion and consistency proofs of RFC 6962: made of nodes that a callable reads, and checked.

A proof is checked with nothing but itself and the two roots that it connects.
"""

from collections.abc import Sequence

from lifecycle.proof.errors import Malformed, Unverified
from lifecycle.proof.tree import (
    EMPTY_ROOT,
    ReadNodes,
    check_hashes,
    check_size,
    fold,
    hash_node,
    parts_of,
)


def inclusion_proof(index: int, size: int, nodes: ReadNodes) -> list[bytes]:
    """That a leaf is in the tree of this size: hashes from its sibling up (2.1.1)."""
    check_size(index, size - 1)
    start, end, ranges = 0, size, []
    while end - start > 1:
        middle = start + _half(end - start)
        if index < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    return _hashes_of(ranges[::-1], nodes)


def consistency_proof(old: int, new: int, nodes: ReadNodes) -> list[bytes]:
    """That the tree of the new size continues that of the old one (2.1.2); none needed: empty."""
    check_size(old, new)
    if old in (0, new):
        return []
    start, end, ranges = 0, new, []
    while end != old:
        middle = start + _half(end - start)
        if old <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    if start:  # else the old tree is a perfect part of the new one, and its root is known
        ranges.append((start, end))
    return _hashes_of(ranges[::-1], nodes)


def _half(count: int) -> int:
    """The largest power of two that is smaller."""
    return 1 << (count - 1).bit_length() - 1


def _hashes_of(ranges: Sequence[tuple[int, int]], nodes: ReadNodes) -> list[bytes]:
    parts = [parts_of(start, end) for start, end in ranges]
    read = iter(nodes([node for each in parts for node in each]))
    return [fold([next(read) for _ in each]) for each in parts]


def check_length(index: int, size: int, hashes: int) -> None:
    """Raises `Malformed` unless an inclusion proof of this leaf has so many hashes."""
    check_size(index, size - 1)
    if hashes != _steps(index, size - 1):
        raise Malformed(f"{hashes} hashes are no inclusion proof of {index} in {size}")


def root_by_inclusion(leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes:
    """The root of a tree that has the leaf there, by its inclusion proof; raises `Malformed`."""
    check_length(index, size, len(proof))
    check_hashes((leaf_hash, *proof))
    inner, root = (index ^ (size - 1)).bit_length(), leaf_hash
    for level, each in enumerate(proof):
        left = level >= inner or index >> level & 1
        root = hash_node(each, root) if left else hash_node(root, each)
    return root


def verify_inclusion(
    leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Raises `Unverified` unless the tree of this size and root has the leaf at this index."""
    if root_by_inclusion(leaf_hash, index, size, proof) != root:
        raise Unverified(f"leaf {index} is not in the tree of {size} with this root")


def verify_consistency(
    old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """Raises `Unverified` unless the new tree continues the old one, as RFC 9162 (2.1.4.2) does."""
    check_size(old, new)
    check_hashes((old_root, new_root, *proof))
    if old in (0, new):
        _verify_trivial(old, old_root, new, new_root, proof)
    elif _roots_by_consistency(old, old_root, new, proof) != (old_root, new_root):
        raise Unverified(f"the tree of {new} does not continue that of {old}")


def _verify_trivial(
    old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]
) -> None:
    if proof:
        raise Malformed(f"from {old} to {new} there is nothing to prove")
    if old == 0 and old_root != EMPTY_ROOT:
        raise Unverified("the empty tree has another root")
    if old == new and old_root != new_root:
        raise Unverified(f"two trees of {old} have different roots")


def _roots_by_consistency(
    old: int, old_root: bytes, new: int, proof: Sequence[bytes]
) -> tuple[bytes, bytes]:
    """The roots of both trees, as far as the proof tells."""
    known = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    place, last = old - 1, new - 1
    shared = (~place & (place + 1)).bit_length() - 1  # levels of the part that both trees share
    place, last = place >> shared, last >> shared
    if len(known) != 1 + _steps(place, last):
        raise Malformed(f"{len(proof)} hashes are no consistency proof from {old} to {new}")
    before = after = known[0]
    for each in known[1:]:
        if place & 1 or place == last:
            before, after = hash_node(each, before), hash_node(each, after)
            zeros = (place & -place).bit_length() - 1 if place else last.bit_length()
            place, last = place >> zeros, last >> zeros
        else:
            after = hash_node(after, each)
        place, last = place >> 1, last >> 1
    return before, after


def _steps(place: int, last: int) -> int:
    """How many hashes lead from a node up to the root: the length of its inclusion proof."""
    inner = (place ^ last).bit_length()
    return inner + (place >> inner).bit_count()
