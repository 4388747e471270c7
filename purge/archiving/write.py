"""Write the files of an archive to the disk: the same rows in each format, a part at a time."""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, BinaryIO, cast

from lifecycle.db.connection import fetch, scalar, statement
from lifecycle.db.sql import array_text
from purge.archive.formats import FORMATS, Writer
from purge.archive.manifest import File
from purge.archive.table import ReadRow, Table
from purge.exceptions import ArchiveError
from purge.models import Archive, ArchivePart

End = dict[str, str | None]


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
    """The files by format, how many rows they have, and the first and last key and time."""

    files: dict[str, Counted]
    rows: int = 0
    first: End = field(default_factory=lambda: {"key": None, "time": None})
    last: End = field(default_factory=lambda: {"key": None, "time": None})

    def add(self, rows: list[ReadRow]) -> None:
        """Count rows that were written."""
        if not self.rows:
            self.first["key"] = rows[0].key
        self.last["key"] = rows[-1].key
        self.rows += len(rows)
        if times := [row.time for row in rows if row.time is not None]:
            self.first["time"] = min([*times, self.first["time"] or times[0]])
            self.last["time"] = max([*times, self.last["time"] or times[0]])

    @property
    def largest(self) -> int:
        """The bytes of the largest file."""
        return max(each.bytes for each in self.files.values())

    def described(self, prefix: str, name: str) -> list[File]:
        """The files as the manifest names them."""
        return [
            File(each, f"{prefix}{name}{FORMATS[each].suffix}", file.bytes, file.sha.hexdigest())
            for each, file in self.files.items()
        ]


@contextmanager
def written(
    table: Table, archive: Archive, formats: tuple[str, ...], most: int
) -> Iterator[Written]:
    """Write the rows of an archive as they are now; `ArchiveError` for errors of the disk.

    Where a file comes to `most` bytes, the parts that are left go to a further archive.
    """
    with ExitStack() as stack:
        with _disk_errors():
            files = {each: stack.enter_context(counted()) for each in formats}
            done = Written(files)
            writers = [
                FORMATS[each].writer(table.columns, cast(BinaryIO, file))
                for each, file in files.items()
            ]
            for part in _parts(archive, table.using):
                _write_part(table, part, writers, done)
                if done.largest >= most:
                    _move_rest(archive, table.using, part.number)
                    break
            for writer in writers:
                writer.close()
            for file in files.values():
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
    last = 0
    own = ArchivePart.objects.using(using).filter(archive=archive).order_by("number")
    while part := own.filter(number__gt=last).first():
        yield part
        last = part.number


def _write_part(table: Table, part: ArchivePart, writers: list[Writer], done: Written) -> None:
    keys: list[str] = []
    hashes: list[bytes] = []
    for rows in table.read(part.keys):
        values = [row.values for row in rows]
        for writer in writers:
            writer.write(values)
        keys += [row.key for row in rows]
        hashes += [row.hash for row in rows]
        done.add(rows)
    fewer = None if keys == part.keys else array_text(keys)
    table.check()
    params = {"part": part.pk, "keys": fewer, "hashes": b"".join(hashes)}
    fetch(table.using, statement(__file__, "hash_part"), params)


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
