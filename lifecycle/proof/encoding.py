"""What the text formats share: numbers, base64 and lines, each with one way to write it."""

from base64 import b64decode, b64encode
from collections.abc import Iterable

from lifecycle.proof.errors import Malformed
from lifecycle.proof.tree import HASH_SIZE, MAX_SIZE

_CONTROLS = bytes({*range(0x20)} - {0x0A})
_MOST_DIGITS = len(str(MAX_SIZE))


def to_base64(data: bytes) -> str:
    """Standard base64 of RFC 4648, section 4."""
    return b64encode(data).decode("ascii")


def from_base64(text: str) -> bytes:
    """What base64 stands for; raises `Malformed` for any but the one way to write it."""
    try:
        data = b64decode(text.encode("ascii"), validate=True)
    except ValueError as error:
        raise Malformed(f"no base64: {text[:80]!r}") from error
    if to_base64(data) != text:
        raise Malformed(f"no base64: {text[:80]!r}")
    return data


def hash_from_base64(text: str) -> bytes:
    """A hash; raises `Malformed`."""
    data = from_base64(text)
    if len(data) != HASH_SIZE:
        raise Malformed(f"a hash has {HASH_SIZE} bytes, not {len(data)}")
    return data


def to_number(text: str) -> int:
    """A decimal number that an int64 holds, without sign or leading zero; raises `Malformed`."""
    short = text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS
    if not short or str(int(text)) != text or int(text) > MAX_SIZE:
        raise Malformed(f"no number: {text[:80]!r}")
    return int(text)


def without_controls(data: bytes) -> str:
    """UTF-8 text without any control character below U+0020 but newlines; raises `Malformed`."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed("no UTF-8") from error
    if len(data.translate(None, _CONTROLS)) != len(data):
        raise Malformed("a control character")
    return text


def lines_of(text: str) -> list[str]:
    """The lines of a text, each of which ends in a newline; raises `Malformed`."""
    if not text.endswith("\n"):
        raise Malformed("the last line does not end")
    return text[:-1].split("\n")


def joined(lines: Iterable[str]) -> str:
    """Lines as a text."""
    return "".join([f"{line}\n" for line in lines])
