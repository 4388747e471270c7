"""The bytes of an event and of its parts: see `leaf` for what stands in them."""

from collections.abc import Iterable

HEAD = b"lifecycle.event\x01"
PART_HEAD = b"lifecycle.part\x01"
ABSENT = b"\xff\xff\xff\xff"

Text = str | None


def encode_fields(fields: Iterable[Text]) -> bytes:
    """Each field with its length before it; None is absent, which is not empty."""
    encoded = (None if each is None else each.encode() for each in fields)
    return b"".join(
        ABSENT if each is None else len(each).to_bytes(4, "big") + each for each in encoded
    )


def encode_part(blind: bytes, part: Iterable[Text]) -> bytes:
    """A part as the entry of its event's tree."""
    return PART_HEAD + blind + encode_fields(part)
