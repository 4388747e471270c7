"""Load the rows of an archive back into a table.

A batch of 10,000 rows is one transaction: the rows, the ledger's `loaded`, and the hold that keeps
them from ending at once. A load that was interrupted is run again: rows that are there are left
alone, whoever has made them.
"""

import shlex
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, BinaryIO, cast

import psycopg
from django.db import DataError, IntegrityError, ProgrammingError, transaction

from lifecycle.exceptions import LifecycleError
from lifecycle.ledger.context import context
from purge.archive.destinations import Destination, fetch
from purge.archive.formats import FORMATS, Reader, Row
from purge.archive.loading.rewritten import refuse_rewritten
from purge.archive.loading.stage import LoadBatch
from purge.archive.loading.target import Target
from purge.archive.manifest import File, Manifest

# What COPY raises past Django where a value does not fit; a lost connection is none of it.
OF_COPY = (psycopg.DataError, psycopg.IntegrityError, psycopg.ProgrammingError)

CHUNK = 10_000  # rows of a batch, and of an event
ORDER = (
    "jsonl",
    "jsonlzst",
    "parquet",
    "iceberg",
    "json",
)  # the first that is there and can be read
FULL = 16 * 2**20  # characters of a batch
SAMPLE = 5


@dataclass
class Counts:
    """What became of the rows of an archive."""

    read: int = 0
    matched: int = 0
    loaded: int = 0
    there: int = 0  # not loaded: a row with that key is there
    taken: int = 0  # not loaded: another row has a value that may be there only once
    files: int = 0  # rows loaded that name a file
    altered: int = 0  # rows loaded that a trigger of the table has changed on their way
    columns: set[str] = field(default_factory=set)  # in which
    keys: list[str] = field(default_factory=list)  # the first that were not loaded

    def add(self, other: "Counts") -> None:
        for name in ("read", "matched", "loaded", "there", "taken", "files", "altered"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.columns |= other.columns
        self.keys = (self.keys + other.keys)[:SAMPLE]


@dataclass(frozen=True)
class Load:
    """A load that was found possible; nothing is changed before `run`.

    `model` is None where the rows go into a table beside the ledger. `untrusted`: manifest and file
    may be anybody's, so that a row is read only as far as it fits into a little memory.
    """

    manifest: Manifest
    where: Destination
    using: str
    target: Target
    model: Any = None
    filters: dict[str, str] = field(default_factory=dict)
    actor: str = ""
    dry: bool = False
    untrusted: bool = False

    def run(self) -> Iterator[Counts]:
        """Compare the files with their manifest, then load batches; yields the counts so far."""
        total = Counts()
        with ExitStack() as stack:
            for chunk in chunks(self._rows(self._copied(stack))):
                with _explained(total):
                    total.add(self._batch(chunk))
                yield total

    def _rows(self, files: list[tuple[File, BinaryIO]]) -> Reader:
        """The values of the columns that are loaded."""
        wanted = [i for i, c in enumerate(self.manifest.columns) if c.name in self.target.columns]
        longest, number = FULL if self.untrusted else None, 0
        for file, copy in files:
            for row in FORMATS[file.format].reader(self.manifest.columns, copy, longest):
                number += 1
                if number > self.manifest.rows:
                    raise LifecycleError(
                        f"{file.name} has more rows than its manifest says: the others are left."
                    )
                yield tuple(row[index] for index in wanted)

    def _copied(self, stack: ExitStack) -> list[tuple[File, BinaryIO]]:
        """The files that rows are read from, each as its manifest says, before any row is."""
        found: list[tuple[File, BinaryIO]] = []
        for file in readable(self.manifest, self.untrusted):
            copy = cast(BinaryIO, stack.enter_context(tempfile.TemporaryFile()))  # noqa: SIM115
            if fetch(self.where, file.name, copy, file.bytes) != (file.bytes, file.sha256):
                raise LifecycleError(
                    f"{file.name} is not as its manifest says: nothing was loaded."
                    f" See `manage.py archive verify {shlex.quote(self.manifest.name)}`."
                )
            found.append((file, copy))
        return found

    def _batch(self, rows: list[Row]) -> Counts:
        with transaction.atomic(using=self.using):
            refuse_rewritten(self.manifest, self.model, self.using)
            with context(actor=self.actor, using=self.using):
                counts = self._load(LoadBatch(self.using, self.target, self.model), rows)
            transaction.set_rollback(self.dry, using=self.using)
        return counts

    def _load(self, batch: LoadBatch, rows: list[Row]) -> Counts:
        batch.begin(rows)
        counts = Counts(read=len(rows), matched=batch.keep_matching(self.filters))
        keys, counts.files = batch.insert(advance=not self.dry)
        counts.loaded = len(keys)
        counts.altered, counts.columns = batch.altered(keys) if keys else (0, set())
        left = batch.left_out(keys) if counts.loaded < counts.matched else []
        counts.there = sum(row.is_there for row in left)
        counts.taken = len(left) - counts.there
        counts.keys = [row.key for row in left][:SAMPLE]
        batch.record_and_hold(keys, self.manifest.name)
        return counts


def chunks(rows: Reader) -> Iterator[list[Row]]:
    """Rows in batches: wide ones in smaller batches, so that none fills the memory."""
    chunk: list[Row] = []
    size = 0
    for row in rows:
        chunk.append(row)
        size += sum(len(value) for value in row if value)
        if len(chunk) >= CHUNK or size >= FULL:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def readable(manifest: Manifest, untrusted: bool = False) -> list[File]:
    """The files that rows are read from: one, or those of the months of a table."""
    there = {file.format for file in manifest.files}
    known = [name for name in ORDER if name in there]
    if untrusted and known and not (known := [n for n in known if FORMATS[n].is_bounded]):
        raise LifecycleError(
            f"{manifest.name} is in Parquet alone, which takes any memory to read: it is read where"
            " the ledger knows it."
        )
    for name in known:
        if not FORMATS[name].missing:
            return [file for file in manifest.files if file.format == name]
    why = FORMATS[known[0]].missing if known else "it has no file for programs"
    raise LifecycleError(f"{manifest.name} cannot be read: {why}.")


@contextmanager
def _explained(total: Counts) -> Iterator[None]:
    """Raise what the database refuses as one sentence; the batch is taken back."""
    try:
        yield
    except (DataError, IntegrityError, ProgrammingError, UnicodeError, *OF_COPY) as error:
        diag = getattr(error.__cause__ or error, "diag", None)
        why = (diag and diag.message_primary) or "a text that it cannot hold"
        before = f" {total.loaded} rows were loaded before." if total.loaded else ""
        raise LifecycleError(
            f"The database refuses: {why}. Nothing of this batch was changed."
            f"{before} Load --into another table to look at the rows."
        ) from error
