"""Events on their way to the store: all that replay needs of them, compressed, and encrypted.

They hold keys and names: whoever may read the bundles knows as much as who may read the ledger,
unless `LIFECYCLE_PROOF` has a `key`. A bundle is `events/START-END` below the log's prefix: a
stream of zlib, in which each line is the record of an event as `lifecycle.entries_v1` writes it,
and behind it the salts of the events, 16 bytes each.
"""

import os
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from lifecycle.exceptions import LifecycleError
from lifecycle.proof.leaf import SALT_SIZE, Record, leaf_of
from lifecycle.sealing.entries import record_of
from purge.proof.store import ProofStore

PLAIN, SEALED = b"lifecycle events 1\n", b"lifecycle events 1 aes-256-gcm\n"
FOLDER = "events/"
MOST = 10_000  # events of a bundle
NONCE = 12
LEVEL = 1  # of zlib: 6 takes twice as long for a tenth less


class Line(NamedTuple):
    """A published event: its index in the log, its salt, and all that it says, as text."""

    leaf_index: int
    salt: bytes
    record: Record

    @property
    def number(self) -> int:
        """The event's number in the ledger."""
        return int(self.record.id)

    @property
    def leaf_hash(self) -> bytes:
        """The leaf that it makes, `b""` where it makes none; what was sealed is known elsewhere."""
        try:
            return leaf_of(self.record, self.salt)
        except ValueError:  # half a character
            return b""


def path_of(start: int, end: int) -> str:
    """Where the events of these indexes are; the names sort as the indexes do."""
    return f"{FOLDER}{start:019}-{end:019}"


def paths_from(store: ProofStore, start: int) -> Iterator[str]:
    """The bundles that may have the event of an index or later ones, in their order.

    There may be millions before, for one is put every few seconds: those are not listed.
    """
    before = path_of(max(start - MOST, 0), 0)
    return store.names(FOLDER, before)


def span_of(path: str) -> tuple[int, int]:
    """Which indexes a path says that it has; none where it is no bundle's."""
    first, _, end = path.removeprefix(FOLDER).partition("-")
    return (int(first), int(end)) if first.isdigit() and end.isdigit() else (0, 0)


def encode(records: str, salts: bytes) -> bytes:
    """Events by the lines of their records and their salts."""
    return zlib.compress(records.encode(), LEVEL) + salts


def unpack(data: bytes) -> tuple[bytes, bytes]:
    """The lines and the salts of a bundle; `LifecycleError` for what is none."""
    stream = zlib.decompressobj()
    try:
        text = stream.decompress(data)
    except zlib.error:
        raise LifecycleError("a bundle of events is damaged") from None
    if not stream.eof:
        raise LifecycleError("a bundle of events is cut off")
    return text, stream.unused_data


def decode(data: bytes, first: int) -> list[Line]:
    """The events of a bundle from an index on; `LifecycleError` for what is none."""
    text, salts = unpack(data)
    lines = text.splitlines()
    if len(salts) != SALT_SIZE * len(lines):
        raise LifecycleError("a bundle of events has other salts")
    try:
        return [
            Line(first + at, salts[SALT_SIZE * at : SALT_SIZE * (at + 1)], record_of(line))
            for at, line in enumerate(lines)
        ]
    except (TypeError, ValueError) as error:
        said = f"a bundle has what is no event: {type(error).__name__}"
        raise LifecycleError(said) from None


def lock(data: bytes, key: bytes | None, path: str) -> bytes:
    """A bundle as it is stored: for its path alone, where there is a key."""
    if key is None:
        return PLAIN + data
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = os.urandom(NONCE)
    return SEALED + nonce + AESGCM(key).encrypt(nonce, data, path.encode())


def unlock(stored: bytes, key: bytes | None, path: str) -> bytes:
    """What was stored; `LifecycleError` where that takes another key, or it is no bundle."""
    if stored.startswith(PLAIN):
        return stored[len(PLAIN) :]
    if not stored.startswith(SEALED):
        raise LifecycleError(f"{path} is no bundle of events")
    if key is None:
        raise LifecycleError(f"{path} is encrypted: LIFECYCLE_PROOF names no `key`")
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    rest = stored[len(SEALED) :]
    try:
        return AESGCM(key).decrypt(rest[:NONCE], rest[NONCE:], path.encode())
    except InvalidTag:
        raise LifecycleError(f"{path} was encrypted by another key, or changed") from None
