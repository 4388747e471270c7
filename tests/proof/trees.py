"""Trees as RFC 6962 defines them, by recursion over all leaves: slow, and none of the product."""

from collections.abc import Sequence
from hashlib import sha256


def mth(entries: Sequence[bytes]) -> bytes:
    """2.1: the Merkle Tree Hash."""
    if not entries:
        return sha256(b"").digest()
    if len(entries) == 1:
        return sha256(b"\x00" + entries[0]).digest()
    k = split_at(len(entries))
    return sha256(b"\x01" + mth(entries[:k]) + mth(entries[k:])).digest()


def path(m: int, entries: Sequence[bytes]) -> list[bytes]:
    """2.1.1: the audit path of a leaf."""
    if len(entries) == 1:
        return []
    k = split_at(len(entries))
    if m < k:
        return [*path(m, entries[:k]), mth(entries[k:])]
    return [*path(m - k, entries[k:]), mth(entries[:k])]


def proof(m: int, entries: Sequence[bytes]) -> list[bytes]:
    """2.1.2: the consistency proof from m leaves."""
    return subproof(m, entries, True) if 0 < m < len(entries) else []


def subproof(m: int, entries: Sequence[bytes], whole: bool) -> list[bytes]:
    if m == len(entries):
        return [] if whole else [mth(entries)]
    k = split_at(len(entries))
    if m <= k:
        return [*subproof(m, entries[:k], whole), mth(entries[k:])]
    return [*subproof(m - k, entries[k:], False), mth(entries[:k])]


def split_at(count: int) -> int:
    k = 1
    while k * 2 < count:
        k *= 2
    return k


def entries_of(count: int) -> list[bytes]:
    """Entries that are all different."""
    return [b"entry %d" % number for number in range(count)]


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """Entries as one bundle of C2SP's tlog-tiles, the easy way; the product's is in SQL."""
    return b"".join([len(each).to_bytes(2, "big") + each for each in entries])
