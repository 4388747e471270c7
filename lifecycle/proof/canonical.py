"""The bytes of an event and of its parts: see `leaf` for what stands in them."""

from collections.abc import Iterable

from lifecycle.proof.errors import Malformed

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


def decode_fields(data: bytes) -> list[Text]:
    """What `encode_fields` has written; raises `Malformed` for anything else."""
    fields: list[Text] = []
    place = 0
    while place < len(data):
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
