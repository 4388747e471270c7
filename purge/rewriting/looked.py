"""What reading an archive's file has found: which rows are wanted, and what the others span."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, NamedTuple

from purge.archive.form import Wanted
from purge.archive.formats.base import Column
from purge.archive.formats.some_columns import read_some
from purge.archive.manifest import File, Manifest
from purge.archive.table import Table
from purge.exceptions import ArchiveError
from purge.rewriting.wanted import Matches, matcher

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
    manifest: Manifest, files: Iterable[tuple[File, BinaryIO]], wanted: Wanted, table: Table
) -> Looked:
    """Read every row of an archive; `ArchiveError` where it has others than it says.

    Of a table the files are those of its months, each with places of its own.
    """
    found, told = Looked(), _told(manifest, wanted, table)
    for file, copy in files:
        own = found.parts.setdefault(file.name, Looked())
        for place, key, moment, goes in _rows(manifest, file, copy, told):
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


class Told(NamedTuple):
    """The columns that have to be read of a row, what they are, and whether it goes by them."""

    names: list[str]
    key: int
    time: int | None
    goes: Matches


def _told(manifest: Manifest, wanted: Wanted, table: Table) -> Told:
    types = dict(manifest.columns)
    timed = table.time if table.time in types and manifest.first["time"] else None
    names = list(dict.fromkeys([*(n for n in wanted.values if n in types), manifest.key]))
    names += [timed] if timed and timed not in names else []
    goes = matcher(wanted, [Column(n, types[n]) for n in names], manifest.name, table.using)
    return Told(names, names.index(manifest.key), names.index(timed) if timed else None, goes)


def _rows(
    manifest: Manifest, file: File, copy: BinaryIO, told: Told
) -> Iterator[tuple[int, str | None, str | None, bool]]:
    """The rows of a file: place, key, time, and whether it goes."""
    copy.seek(0)
    for place, row in enumerate(read_some(file.format, manifest.columns, copy, told.names)):
        moment = _time(row[told.time]) if told.time is not None else None
        yield place, row[told.key], moment, told.goes(row)


def _time(text: str | None) -> str | None:
    return text and text.replace(" ", "T")
