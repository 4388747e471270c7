"""Events on their way to the store: all that replay needs of them, compressed, and encrypted.

They hold keys and names: whoever may read the bundles knows as much as who may read the ledger,
unless `LIFECYCLE_PROOF` has a `key`. A bundle is `events/START-END` below the log's prefix.
"""

import json
import os
import zlib
from typing import Any

from lifecycle.exceptions import LifecycleError

PLAIN, SEALED = b"lifecycle events 1\n", b"lifecycle events 1 aes-256-gcm\n"
NONCE = 12


def path_of(start: int, end: int) -> str:
    """Where the events of these indexes are; the names sort as the indexes do."""
    return f"events/{start:019}-{end:019}"


def encode(lines: list[dict[str, Any]]) -> bytes:
    """Events as lines of JSON, compressed; the same bytes of the same events."""
    text = "".join(json.dumps(line, separators=(",", ":"), sort_keys=True) + "\n" for line in lines)
    return zlib.compress(text.encode(), 6)


def decode(data: bytes) -> list[dict[str, Any]]:
    """The events of a bundle; `LifecycleError` for what is none."""
    try:
        return [json.loads(line) for line in zlib.decompress(data).splitlines()]
    except (zlib.error, ValueError):
        raise LifecycleError("a bundle of events is damaged") from None


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
