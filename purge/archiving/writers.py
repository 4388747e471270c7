"""The writers of an archive's formats, given what each needs of the rows of a part.

A writer of blocks has a thread: it compresses and hashes, which need no lock of the interpreter,
while the next block is read. No more than some blocks wait for it.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from queue import Queue
from threading import Thread
from typing import Any

from purge.archive.formats import FORMATS, BlockWriter, Writer
from purge.archive.formats.iceberg import Layout, MonthWriter
from purge.archive.table import Table
from purge.exceptions import ArchiveError

WAITING = 4  # blocks


class Threaded:
    """A writer of blocks in a thread of its own; what it raises is raised at the next block."""

    def __init__(self, writer: BlockWriter) -> None:
        self.writer = writer
        self.error: BaseException | None = None
        self.blocks: Queue[bytes | None] = Queue(WAITING)
        self.thread = Thread(target=self._work, daemon=True)
        self.thread.start()

    def write(self, block: bytes) -> None:
        self.blocks.put(block)
        self._raise()

    def drain(self) -> None:
        """Wait until what was given is written."""
        self.blocks.join()
        self._raise()

    def stop(self) -> None:
        """Wait for the end of the thread."""
        self.blocks.put(None)
        self.thread.join()

    def close(self) -> None:
        """Write the end of the file, where nothing has failed; after `stop`."""
        self._raise()
        self.writer.close()

    def _work(self) -> None:
        while (block := self.blocks.get()) is not None:
            try:
                if self.error is None:  # else the blocks that follow are taken, and dropped
                    self.writer.write_block(block)
            except BaseException as error:
                self.error = error
            finally:
                self.blocks.task_done()

    def _raise(self) -> None:
        if self.error is not None:
            raise self.error


@dataclass
class Writers:
    """The writers of a table's rows: by the SQL of what they take of each, and those of rows."""

    table: Table
    of_blocks: dict[str, list[Threaded]] = field(default_factory=dict)
    of_rows: list[Writer] = field(default_factory=list)
    given: int = 0  # bytes, before they are compressed

    def write(self, part: int, rows: int) -> None:
        """Write the rows of a part, in the transaction in which so many were noted.

        Raises `ArchiveError` where a format was given fewer.
        """
        for line, writers in self.of_blocks.items():
            _refuse_other(rows, sum(self._write_lines(part, line, writers)))
        if self.of_rows:
            _refuse_other(rows, sum(self._write_rows(part)))

    def _write_lines(self, part: int, line: str, writers: list[Threaded]) -> Iterator[int]:
        for block in self.table.copy(part, line):
            self.given += len(block.text)
            for writer in writers:
                writer.write(block.text)
            yield block.rows

    def _write_rows(self, part: int) -> Iterator[int]:
        for rows in self.table.read(part):
            for each in self.of_rows:
                each.write(rows)
            yield len(rows)

    def drain(self) -> None:
        """Wait until what was given is written."""
        for each in self._threads():
            each.drain()

    def close(self) -> None:
        """Write the ends of the files."""
        for writer in self.of_rows:
            writer.close()
        for each in self._threads():
            each.close()

    def _threads(self) -> Iterator[Threaded]:
        for writers in self.of_blocks.values():
            yield from writers


def _refuse_other(noted: int, read: int) -> None:
    if read != noted:
        raise ArchiveError(f"The database gave {read} of {noted} rows that it had noted.")


NewFile = Callable[..., Any]  # of a format, and of a month of its rows


@contextmanager
def writers_of(
    table: Table, formats: Sequence[str], new_file: NewFile, layout: Layout | None = None
) -> Iterator[Writers]:
    """Writers of formats, to files that are whole when the block is over."""
    writers = Writers(table)
    with ExitStack() as threads:
        for name in formats:
            _add(writers, name, new_file, layout, threads)
        yield writers
    writers.close()


def _add(
    writers: Writers, name: str, new_file: NewFile, layout: Layout | None, threads: ExitStack
) -> None:
    form, columns = FORMATS[name], writers.table.columns
    copied = form.copied(columns, writers.table.column)
    if layout is not None:
        own: Any = MonthWriter(columns, layout, partial(new_file, name))
    else:
        own = (form.block_writer if copied else form.writer)(columns, new_file(name))
    if copied is None:
        writers.of_rows.append(own)
        return
    threaded = Threaded(own)
    threads.callback(threaded.stop)
    writers.of_blocks.setdefault(copied, []).append(threaded)
