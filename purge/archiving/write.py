"""The files of an archive, written to the disk: the same rows in each format, a part at a time.

The files have no name, so that nothing of them is left whatever becomes of the process.
"""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, BinaryIO, cast

from lifecycle.db.connection import fetch, scalar, statement
from lifecycle.db.literals import array_text
from purge.archive.formats import FORMATS, Writer
from purge.archive.manifest import File
from purge.archive.table import Table, values_of
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
        """The file is closed by who has opened it."""


@dataclass
class Written:
    """What was written: files by format, rows, their first and last key and time."""

    files: dict[str, Counted]
    rows: int = 0
    first: End = field(default_factory=lambda: {"key": None, "time": None})
    last: End = field(default_factory=lambda: {"key": None, "time": None})

    def add(self, rows: list[tuple[Any, ...]]) -> None:
        """Rows that were written."""
        if not self.rows:
            self.first["key"] = rows[0][0]
        self.last["key"] = rows[-1][0]
        self.rows += len(rows)
        if times := [row[2] for row in rows if row[2] is not None]:
            self.first["time"] = min([*times, self.first["time"] or times[0]])
            self.last["time"] = max([*times, self.last["time"] or times[0]])

    @property
    def largest(self) -> int:
        """The bytes of the largest file."""
        return max(each.bytes for each in self.files.values())

    def described(self, prefix: str, name: str) -> list[File]:
        """As the manifest names them."""
        return [
            File(each, f"{prefix}{name}{FORMATS[each].suffix}", file.bytes, file.sha.hexdigest())
            for each, file in self.files.items()
        ]


@contextmanager
def written(
    table: Table, archive: Archive, formats: tuple[str, ...], most: int
) -> Iterator[Written]:
    """Write the rows of an archive as they are now; `ArchiveError` where the disk does not do.

    Where a file comes to `most` bytes, the parts that are left are those of the next archive.
    """
    with ExitStack() as stack:
        with _told():
            files = {each: stack.enter_context(counted()) for each in formats}
            done = Written(files)
            writers = [
                FORMATS[each].writer(table.columns, cast(BinaryIO, file))
                for each, file in files.items()
            ]
            for part in _parts(archive, table.using):
                _write_part(table, part, writers, done)
                if done.largest >= most:
                    _leave(archive, table.using, part.number)
                    break
            for writer in writers:
                writer.close()
            for file in files.values():
                file.flush()
        yield done


@contextmanager
def counted() -> Iterator[Counted]:
    """A file without a name; what is written to it afterwards goes nowhere."""
    with _unnamed() as file:
        found = Counted(file)
        try:
            yield found
        finally:
            found.is_over = True


def _unnamed() -> Any:
    return tempfile.TemporaryFile(prefix="archive-")


@contextmanager
def _told() -> Iterator[None]:
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
        values = values_of(rows)
        for writer in writers:
            writer.write(values)
        keys += [row[0] for row in rows]
        hashes += [row[1] for row in rows]
        done.add(rows)
    fewer = None if keys == part.keys else array_text(keys)
    table.check()
    params = {"part": part.pk, "keys": fewer, "hashes": b"".join(hashes)}
    fetch(table.using, statement(__file__, "hash_part"), params)


def _leave(archive: Archive, using: str, last: int) -> None:
    """Parts that do not fit are of a further archive."""
    left = ArchivePart.objects.using(using).filter(archive=archive, number__gt=last)
    if left.exists():
        told = {"policy": archive.policy, "model": archive.model, "run": archive.run}
        further = Archive(prefix=archive.prefix, more=archive.more, **told)
        further.save(using=using)
        left.update(archive=further)


def now(using: str) -> Any:
    """The database's time, which names and dates an archive; no machine's clock does."""
    return scalar(using, "SELECT lifecycle.now_v1()")
