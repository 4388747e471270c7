"""The bytes of an event and of its parts: see `leaf` for what stands in them."""

from collections.abc import Iterable

from lifecycle.proof.errors import Malformed

HEAD = b"lifecycle.event\x01"
PART_HEAD = b"lifecycle.part\x01"
ABSENT = b"\xff\xff\xff\xff"
_LENGTHS = [size.to_bytes(4, "big") for size in range(256)]  # most are short

Text = str | None


def encode_fields(fields: Iterable[Text]) -> bytes:
    """Each field with its length before it; None is absent, which is not empty."""
    parts = []
    for each in fields:
        if each is None:
            parts.append(ABSENT)
        else:
            data = each.encode()
            parts += _length(len(data)), data
    return b"".join(parts)


def _length(size: int) -> bytes:
    return _LENGTHS[size] if size < len(_LENGTHS) else size.to_bytes(4, "big")


def decode_fields(data: bytes, most: int | None = None) -> list[Text]:
    """What `encode_fields` has written; raises `Malformed` for anything else.

    `most`: the first ones alone; what comes after them is not looked at.
    """
    fields: list[Text] = []
    place = 0
    while place < len(data) and len(fields) != most:
        size = data[place : place + 4]
        place += 4
        if size == ABSENT:
            fields.append(None)
            continue
        end = place + int.from_bytes(size, "big")
        if len(size) < 4 or end > len(data):
            raise Malformed("no fields of an entry")
        fields.append(data[place:end].decode(errors="replace"))
        place = end
    return fields


def encode_part(blind: bytes, part: Iterable[Text]) -> bytes:
    """A part as the entry of its event's tree."""
    return PART_HEAD + blind + encode_fields(part)
