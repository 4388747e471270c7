"""Write the files of an archive to the disk: the same rows in each format, a part at a time.

A part is read in one snapshot, in which it is also noted what tells each of its rows. Formats that
have their values made by the database take them as COPY gives them, each in a thread of its own;
the others are given row after row.
"""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, BinaryIO, NamedTuple

from django.db import transaction

from lifecycle.db.connection import (
    ALL_ROWS,
    NOT_COMPILED,
    REPEATABLE_READ,
    Placed,
    fetch,
    scalar,
)
from purge.archive.formats import FORMATS
from purge.archive.formats.iceberg import Layout
from purge.archive.manifest import File
from purge.archive.table import Table, exact
from purge.archiving.writers import Writers, writers_of
from purge.exceptions import ArchiveError
from purge.iceberg.table import is_table
from purge.models import Archive, ArchivePart

End = dict[str, str | None]


class Noted(NamedTuple):
    """What is known of a part that is read: its rows, their first and last key and time."""

    rows: int
    first: str | None
    last: str | None
    earliest: str | None
    latest: str | None


class Piece(NamedTuple):
    """Which file of an archive: its format, and its month where that has a file for each."""

    format: str
    month: str = ""

    @property
    def ending(self) -> str:
        """How its name ends."""
        return f"{f'.{self.month}' if self.month else ''}{FORMATS[self.format].suffix}"


class Counted:
    """A file that counts and hashes what is written to it."""

    def __init__(self, file: BinaryIO) -> None:
        self.file, self.bytes, self.sha = file, 0, hashlib.sha256()
        self.is_over = False

    def write(self, part: Any) -> int:
        if self.is_over:
            # A writer that was given up closes itself when it is collected, and writes its rest.
            return len(part)
        self.file.write(part)
        self.sha.update(part)
        self.bytes += len(part)
        return len(part)

    def flush(self) -> None:
        self.file.flush()

    def tell(self) -> int:
        return self.bytes

    @property
    def closed(self) -> bool:
        return self.file.closed

    def close(self) -> None:
        """Does nothing: whoever opened the file closes it."""


@dataclass
class Written:
    """The files, how many rows they have, and the first and last key and time."""

    files: dict[Piece, Counted]
    rows: int = 0
    first: End = field(default_factory=lambda: {"key": None, "time": None})
    last: End = field(default_factory=lambda: {"key": None, "time": None})

    def add(self, noted: Noted) -> None:
        """Count the rows of a part."""
        if not noted.rows:
            return
        if not self.rows:
            self.first["key"] = noted.first
        self.last["key"] = noted.last
        self.rows += noted.rows
        if noted.earliest and noted.latest:
            self.first["time"] = min(noted.earliest, self.first["time"] or noted.earliest)
            self.last["time"] = max(noted.latest, self.last["time"] or noted.latest)

    @property
    def largest(self) -> int:
        """The bytes of the largest file."""
        return max((each.bytes for each in self.files.values()), default=0)

    def described(self, prefix: str, name: str) -> list[File]:
        """The files as the manifest names them."""
        return [
            File(each.format, f"{prefix}{name}{each.ending}", file.bytes, file.sha.hexdigest())
            for each, file in self.files.items()
        ]


@contextmanager
def written(
    table: Table, archive: Archive, formats: tuple[str, ...], most: int,
    layout: Layout | None = None,
) -> Iterator[Written]:  # fmt: skip
    """Write the rows of an archive as they are now; `ArchiveError` for errors of the disk.

    Where a file comes to `most` bytes, the parts that are left go to a further archive. With a
    layout the files are those of a table, and made for the months that there are.
    """
    with ExitStack() as stack:
        with _disk_errors():
            done = Written({})

            def new_file(form: str, month: str = "") -> Counted:
                return done.files.setdefault(Piece(form, month), stack.enter_context(counted()))

            with writers_of(table, formats, new_file, layout) as writers:
                for part in _parts(archive, table.using):
                    _write_part(table, part, writers, done)
                    if writers.given >= most:
                        writers.drain()
                    if done.largest >= most:
                        _move_rest(archive, table.using, part.number)
                        break
            for file in done.files.values():
                file.flush()
        yield done


@contextmanager
def counted() -> Iterator[Counted]:
    """A file without a name, of which nothing is left whatever becomes of the process.

    Once the block is over, what is written to it is dropped.
    """
    with _unnamed() as file:
        found = Counted(file)
        try:
            yield found
        finally:
            found.is_over = True


def _unnamed() -> Any:
    return tempfile.TemporaryFile(prefix="archive-")


@contextmanager
def _disk_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        why = os.strerror(error.errno or 0)
        raise ArchiveError(
            f"The archive cannot be written in {tempfile.gettempdir()}: {why}."
        ) from error


def _parts(archive: Archive, using: str) -> Iterator[ArchivePart]:
    """The parts, one after the other, without what is large in them."""
    last = 0
    own = ArchivePart.objects.using(using).filter(archive=archive).order_by("number")
    while part := own.filter(number__gt=last).only("number").first():
        yield part
        last = part.number


def _write_part(table: Table, part: ArchivePart, writers: Writers, done: Written) -> None:
    table.check()
    with _snapshot(table.using):
        noted = _note(table, part)
        if noted.rows:
            writers.write(part.pk, noted.rows)
    done.add(noted)


@contextmanager
def _snapshot(using: str) -> Iterator[None]:
    """A transaction in which all is read as it was at one moment, as exact text."""
    with transaction.atomic(using=using, durable=True):
        fetch(using, f"{REPEATABLE_READ}; {ALL_ROWS}; {NOT_COMPILED}")
        with exact(using):
            yield


def _note(table: Table, part: ArchivePart) -> Noted:
    """Note what tells each row: the versions, where they tell all of them."""
    time = Placed(table.column(table.time) if table.time else "NULL::text")
    parts = {"time": time, "epoch": table.epoch, "rows": table.rows}
    params: dict[str, Any] = {"part": part.pk, "knows_versions": table.knows_versions}
    # Another archive of rows that a table shows would show them twice: they are known by their hash
    # as well, which a restart of the database outlasts.
    if table.knows_versions and not is_table(table.policy):
        told = fetch(table.using, table.sql(__file__, "note_versions", **parts), params)
        if told:
            return Noted(*told[0])
    params["hashed"] = is_table(table.policy)
    text = table.sql(__file__, "note_written", hash=table.hash, **parts)
    return Noted(*fetch(table.using, text, params)[0])


def _move_rest(archive: Archive, using: str, last: int) -> None:
    """Move the parts that do not fit to a further archive."""
    left = ArchivePart.objects.using(using).filter(archive=archive, number__gt=last)
    if left.exists():
        named = {"policy": archive.policy, "model": archive.model, "run": archive.run}
        further = Archive(prefix=archive.prefix, more=archive.more, **named)
        further.save(using=using)
        left.update(archive=further)


def now(using: str) -> Any:
    """The database's time, which names and dates an archive, never this machine's."""
    return scalar(using, "SELECT lifecycle.now_v1()")
