"""What reading an archive's file has found: which rows are wanted, and what the others span."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from purge.archive.formats import FORMATS
from purge.archive.manifest import File, Manifest
from purge.exceptions import ArchiveError
from purge.rewriting.wanted import Matches

End = dict[str, str | None]


@dataclass
class Looked:
    """The places and keys of the rows that go; how many stay, their first and last key and time."""

    places: set[int] = field(default_factory=set)
    keys: list[str] = field(default_factory=list, repr=False)
    left: int = 0
    first: End = field(default_factory=lambda: {"key": None, "time": None}, repr=False)
    last: End = field(default_factory=lambda: {"key": None, "time": None}, repr=False)
    parts: dict[str, "Looked"] = field(default_factory=dict, repr=False)  # by file

    def keep(self, key: str | None, time: str | None) -> None:
        """Count a row that stays."""
        self.first["key"] = self.first["key"] if self.left else key
        self.last["key"] = key
        self.left += 1
        if time:
            self.first["time"] = min(time, self.first["time"] or time)
            self.last["time"] = max(time, self.last["time"] or time)


def look(
    manifest: Manifest, files: Iterable[tuple[File, BinaryIO]], matches: Matches, time: str | None
) -> Looked:
    """Read every row of an archive; `ArchiveError` where it has others than it says.

    Of a table the files are those of its months, each with places of its own.
    """
    found = Looked()
    for file, copy in files:
        own = found.parts.setdefault(file.name, Looked())
        for place, key, moment, goes in _rows(manifest, file, copy, matches, time):
            for each in (own, found):
                if goes:
                    each.places.add(place)
                    each.keys.append(str(key))
                else:
                    each.keep(key, moment)
    if found.left + len(found.keys) != manifest.rows:
        raise ArchiveError(f"{manifest.name} has other rows than its manifest says.")
    if manifest.first["key"] is None:  # a secret
        found.first["key"] = found.last["key"] = None
    return found


def _rows(
    manifest: Manifest, file: File, copy: BinaryIO, matches: Matches, time: str | None
) -> Iterator[tuple[int, str | None, str | None, bool]]:
    """The rows of a file: place, key, time, and whether it goes."""
    names = [column.name for column in manifest.columns]
    key = names.index(manifest.key)
    at = names.index(time) if time in names and manifest.first["time"] else None
    copy.seek(0)
    for place, row in enumerate(FORMATS[file.format].reader(manifest.columns, copy)):
        yield place, row[key], _time(row[at]) if at is not None else None, matches(row)


def _time(text: str | None) -> str | None:
    return text and text.replace(" ", "T")
