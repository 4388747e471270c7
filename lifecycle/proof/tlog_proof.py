"""Proofs that stand by themselves, as C2SP `tlog-proof` says: an index, hashes, a checkpoint.

Who has the entry and the log's key can check one without asking anybody.
"""

from collections.abc import Iterable
from typing import NamedTuple

from lifecycle.proof.checkpoint import Checkpoint, SignedCheckpoint, open_checkpoint
from lifecycle.proof.encoding import (
    from_base64,
    hash_from_base64,
    joined,
    to_base64,
    to_number,
    without_controls,
)
from lifecycle.proof.errors import Malformed
from lifecycle.proof.merkle import check_length, verify_inclusion
from lifecycle.proof.note import Note, Verifier, parse

SUFFIX = ".tlog-proof"
_HEADER = "c2sp.org/tlog-proof@v1"
_MOST_BYTES = 4_000_000


class TlogProof(NamedTuple):
    """What such a file holds. `extra` is signed by nobody; None where there is none."""

    leaf_index: int
    hashes: tuple[bytes, ...]
    checkpoint: Note
    extra: bytes | None = None

    @classmethod
    def parse(cls, data: bytes) -> "TlogProof":
        """A proof as it is written; raises `Malformed` for whatever is not exactly one."""
        if len(data) > _MOST_BYTES:
            raise Malformed(f"a proof of {len(data)} bytes")
        head, empty, note = without_controls(data).partition("\n\n")
        first, *lines = head.split("\n")
        if first != _HEADER or not empty:
            raise Malformed("no tlog-proof of version 1")
        extra = from_base64(_after("extra ", lines.pop(0))) if _has_extra(lines) else None
        index = to_number(_after("index ", lines.pop(0) if lines else ""))
        checkpoint = parse(note.encode())
        check_length(index, Checkpoint.parse(checkpoint.text).size, len(lines))
        return cls(index, tuple(map(hash_from_base64, lines)), checkpoint, extra)

    def encode(self) -> bytes:
        """The proof as it is written; raises `Malformed` where no reader would take it."""
        extra = [] if self.extra is None else [f"extra {to_base64(self.extra)}"]
        lines = [_HEADER, *extra, f"index {self.leaf_index}", *map(to_base64, self.hashes), ""]
        data = joined(lines).encode() + self.checkpoint.encode()
        if TlogProof.parse(data) != self:
            raise Malformed("no tlog-proof")
        return data

    def verify(
        self,
        leaf_hash: bytes,
        log: Iterable[Verifier],
        witnesses: Iterable[Verifier] = (),
        quorum: int = 0,
    ) -> SignedCheckpoint:
        """The checkpoint of the log that has this leaf; raises `Malformed` or `Unverified`."""
        signed = open_checkpoint(self.checkpoint, log, witnesses, quorum)
        head = signed.checkpoint
        verify_inclusion(leaf_hash, self.leaf_index, head.size, self.hashes, head.root)
        return signed


def _has_extra(lines: list[str]) -> bool:
    return bool(lines) and lines[0].startswith("extra ")


def _after(word: str, line: str) -> str:
    if not line.startswith(word):
        raise Malformed(f"no line of {word!r}: {line[:80]!r}")
    return line.removeprefix(word)
