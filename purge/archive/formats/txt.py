"""TXT: a row on each line, in columns, for people.

Widths are those of the first thousand rows; what is longer later pushes its own line only. What
would break a line, or steer a terminal, is written as an escape, so that no value can pass for
a row. A NULL is `NULL`, an empty text is empty.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

from rich.cells import cell_len

from purge.archive.formats.base import Column, Format, FormatError, Row, Writer

FIRST = 1_000  # rows that say how wide a column is
FULL = 16 * 2**20  # characters of them; then fewer rows have to do
WIDEST = 60  # cells
HEAD, PART = 2**20, 2**20  # bytes: of a line at the top, of what is read at a time
HIDDEN = re.compile(r"[^ -~]")


class TextWriter:
    """Holds back the first rows until it knows how wide the columns are."""

    def __init__(self, columns: Sequence[Column], file: BinaryIO) -> None:
        self.names, self.file = [on_one_line(name) for name, _ in columns], file
        self.waiting: list[list[str]] | None = []
        self.widths: list[int] = []
        self.size = 0

    def write(self, rows: Sequence[Row]) -> None:
        shown = [["NULL" if value is None else on_one_line(value) for value in row] for row in rows]
        if self.waiting is None:
            self._put(shown)
            return
        self.waiting += shown
        self.size += sum(len(cell) for row in shown for cell in row)
        if len(self.waiting) >= FIRST or self.size >= FULL:
            self._begin()

    def close(self) -> None:
        self._begin()

    def _begin(self) -> None:
        if self.waiting is None:
            return
        rows, self.waiting = self.waiting, None
        cells = zip(self.names, *rows[:FIRST], strict=True)
        self.widths = [min(WIDEST, max(map(_width, each))) for each in cells]
        self._put([self.names, ["-" * width for width in self.widths]])
        self._put(rows)

    def _put(self, rows: list[list[str]]) -> None:
        if rows:
            self.file.write(("\n".join(map(self._line, rows)) + "\n").encode())

    def _line(self, row: list[str]) -> str:
        pairs = zip(row, self.widths, strict=True)
        return "  ".join(cell + " " * (width - _width(cell)) for cell, width in pairs).rstrip()


def _width(cell: str) -> int:
    return len(cell) if cell.isascii() else cell_len(cell)


def on_one_line(value: str) -> str:
    """A text on one line, without what steers a terminal; such characters as escapes."""
    if value.isascii() and value.isprintable():
        return value
    return HIDDEN.sub(_escaped, value)


def _escaped(found: re.Match[str]) -> str:
    character = found[0]
    if character.isprintable():
        return character
    return character.encode("unicode_escape").decode()


@dataclass(frozen=True)
class Txt(Format):
    """Rows for people."""

    @property
    def can_be_loaded(self) -> bool:
        return False

    def writer(self, columns: Sequence[Column], file: BinaryIO) -> Writer:
        return TextWriter(columns, file)

    def count(self, columns: Sequence[Column], file: BinaryIO) -> int:
        """The lines after the two at the top."""
        names = " ".join(on_one_line(name) for name, _ in columns).encode()
        head = file.readline(HEAD).split()
        file.readline(HEAD)
        if head != names.split():
            raise FormatError("This is no txt archive of these columns.")
        return sum(part.count(b"\n") for part in iter(partial(file.read, PART), b""))


TXT = Txt("txt", ".txt")
