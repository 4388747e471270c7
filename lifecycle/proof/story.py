"""Events in a certificate: what each says, opened as far as its holder wants, and its check.

An event's entry has what it says of no person; what names somebody is a part of the event's own
tree (see `leaf`), of which a certificate shows some: opened, or as the hash that commits to it.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from lifecycle.proof.canonical import HEAD, Text, encode_fields, encode_part
from lifecycle.proof.encoding import to_base64, to_number
from lifecycle.proof.errors import Malformed
from lifecycle.proof.merkle import verify_inclusion
from lifecycle.proof.plain import (
    hash_of,
    hashes_of,
    list_of,
    number_of,
    object_of,
    text_or_none,
)
from lifecycle.proof.tree import hash_leaf

ENDINGS = ("purged", "deleted", "updated", "truncated", "archived")
_LENGTHS = {"cause": 2, "actor": 2, "settled": 2, "detail": 2, "subject": 4}
NAMES = (
    "id", "kind", "policy", "model", "count", "basis", "due_at", "recorded_at", "run", "parts",
    "root",
)  # fmt: skip


class Part(NamedTuple):
    """A part of an event: its place, its path to the event's root, and what it says, if opened."""

    place: int
    path: tuple[bytes, ...]
    commitment: bytes
    blind: bytes | None = None
    fields: tuple[Text, ...] = ()

    @property
    def closed(self) -> "Part":
        """The same, not saying what it says."""
        return self._replace(blind=None, fields=())

    @classmethod
    def opened(
        cls, place: int, path: Sequence[bytes], blind: bytes, fields: Sequence[Text]
    ) -> "Part":
        """A part of which it is shown what it says."""
        return cls(place, tuple(path), commitment_to(blind, fields), blind, tuple(fields))

    def plain(self) -> dict[str, Any]:
        """As in JSON."""
        shown: dict[str, Any] = {"path": [*map(to_base64, self.path)], "place": self.place}
        if self.blind is None:
            return shown | {"commitment": to_base64(self.commitment)}
        return shown | {"blind": to_base64(self.blind), "fields": list(self.fields)}

    @classmethod
    def read(cls, plain: object) -> "Part":
        """Of JSON; raises `Malformed`."""
        found = object_of(
            plain, {"path", "place", "commitment"}, {"path", "place", "blind", "fields"}
        )
        place, path = number_of(found["place"]), hashes_of(found["path"])
        if "commitment" in found:
            return cls(place, path, hash_of(found["commitment"]))
        fields = [text_or_none(each) for each in list_of(found["fields"])]
        if not fields or _LENGTHS.get(fields[0] or "") != len(fields):
            raise Malformed("no part of an event")
        return cls.opened(place, path, hash_of(found["blind"]), fields)


class StoryEvent(NamedTuple):
    """An event with the path of its leaf to the root of a log."""

    fields: tuple[Text, ...]
    leaf_index: int
    path: tuple[bytes, ...]
    parts: tuple[Part, ...] = ()

    def said(self, name: str) -> Text:
        """A field of the entry by its name."""
        return self.fields[NAMES.index(name)]

    def part(self, kind: str) -> tuple[Text, ...] | None:
        """What an opened part says after its kind; None where none of that kind is opened."""
        return next((each.fields[1:] for each in self.parts if each.fields[:1] == (kind,)), None)

    @property
    def leaf_hash(self) -> bytes:
        """The leaf that the fields make, anew."""
        return hash_leaf(HEAD + encode_fields(self.fields))

    @property
    def closed(self) -> "StoryEvent":
        """The same, no part of it opened."""
        return self._replace(parts=tuple(each.closed for each in self.parts))

    def verify(self, size: int, root: bytes) -> None:
        """Raises `ProofError` unless the log has it, and it has the parts that are shown."""
        verify_inclusion(self.leaf_hash, self.leaf_index, size, self.path, root)
        places = [each.place for each in self.parts]
        if places != sorted(set(places)):
            raise Malformed("parts out of order")
        for each in self.parts:
            verify_inclusion(each.commitment, each.place, self.part_count, each.path, self._root)

    @property
    def part_count(self) -> int:
        """How many parts its own tree has."""
        return to_number(self.said("parts") or "")

    @property
    def _root(self) -> bytes:
        try:
            return bytes.fromhex(self.said("root") or "")
        except ValueError as error:
            raise Malformed("no root of an event's parts") from error

    def plain(self) -> dict[str, Any]:
        """As in JSON."""
        return {
            "fields": list(self.fields), "index": self.leaf_index,
            "parts": [each.plain() for each in self.parts], "path": [*map(to_base64, self.path)],
        }  # fmt: skip

    @classmethod
    def read(cls, plain: object) -> "StoryEvent":
        """Of JSON; raises `Malformed`."""
        found = object_of(plain, {"fields", "index", "parts", "path"})
        fields = tuple(text_or_none(each) for each in list_of(found["fields"]))
        if len(fields) != len(NAMES):
            raise Malformed(f"an event has {len(NAMES)} fields")
        parts = tuple(Part.read(each) for each in list_of(found["parts"]))
        return cls(fields, number_of(found["index"]), hashes_of(found["path"]), parts)


def commitment_to(blind: bytes, fields: Sequence[Text]) -> bytes:
    """The hash that commits to a part."""
    return hash_leaf(encode_part(blind, fields))
