"""JSON with one way to write it, and reading it without trust: keys, lists, texts and numbers."""

import json
from typing import Any

from lifecycle.proof.canonical import Text
from lifecycle.proof.encoding import hash_from_base64
from lifecycle.proof.errors import Malformed
from lifecycle.proof.tree import MAX_SIZE


def dump(value: object) -> str:
    """JSON in one line, keys in order, no space."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def load(text: str) -> Any:
    """What JSON says; raises `Malformed` for any but the one way to write it."""
    try:
        value = json.loads(text)
        again = dump(value)
    except (ValueError, RecursionError) as error:
        raise Malformed("no JSON") from error
    if again != text:
        raise Malformed("JSON that is not written as it has to be")
    return value


def object_of(value: object, *shapes: set[str]) -> dict[str, Any]:
    """An object with exactly the keys of one of the shapes; raises `Malformed`."""
    if not isinstance(value, dict) or set(value) not in shapes:
        raise Malformed("an object with other keys")
    return value


def list_of(value: object) -> list[Any]:
    """Raises `Malformed` unless it is a list."""
    if not isinstance(value, list):
        raise Malformed("no list")
    return value


def text_of(value: object) -> str:
    """Raises `Malformed` unless it is a text."""
    if not isinstance(value, str):
        raise Malformed("no text")
    return value


def text_or_none(value: object) -> Text:
    """Raises `Malformed` unless it is a text or nothing."""
    return None if value is None else text_of(value)


def number_of(value: object) -> int:
    """Raises `Malformed` unless it is a whole number from 0 to what an int64 holds."""
    if type(value) is not int or not 0 <= value <= MAX_SIZE:
        raise Malformed("no number")
    return value


def hash_of(value: object) -> bytes:
    """Raises `Malformed` unless it is a hash in base64."""
    return hash_from_base64(text_of(value))


def hashes_of(value: object) -> tuple[bytes, ...]:
    """Raises `Malformed` unless it is a list of hashes in base64."""
    return tuple(map(hash_of, list_of(value)))
