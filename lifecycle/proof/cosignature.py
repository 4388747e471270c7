"""Cosignatures of version 1, as C2SP `tlog-cosignature` says: what a witness signs, and when.

A cosignature says that its witness knows no larger tree of this log, as of a time, and that this
one continues every one that it signed before.
"""

from typing import NamedTuple

from lifecycle.proof.errors import Malformed
from lifecycle.proof.tree import MAX_SIZE

_TIME, _SIGNATURE = 8, 64


class Cosignature(NamedTuple):
    """The value of a signature line: seconds since the epoch, and what was signed with them."""

    timestamp: int
    signature: bytes

    @classmethod
    def parse(cls, value: bytes) -> "Cosignature":
        """Raises `Malformed`."""
        timestamp = int.from_bytes(value[:_TIME], "big")
        if len(value) != _TIME + _SIGNATURE or timestamp > MAX_SIZE:
            raise Malformed("no cosignature")
        return cls(timestamp, value[_TIME:])

    @property
    def value(self) -> bytes:
        """As it stands in a signature line."""
        return self.timestamp.to_bytes(_TIME, "big") + self.signature


def message(text: bytes, timestamp: int) -> bytes:
    """What is signed of a checkpoint's text."""
    return b"cosignature/v1\ntime %d\n%b" % (timestamp, text)
