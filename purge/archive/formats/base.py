"""The interface of every format: a writer and, where programs read it, a reader.

Values are text as PostgreSQL gives it under `SETTINGS`, or None for NULL: exact for every type, in
both directions, also where Python has no such value.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple, Protocol

from lifecycle.exceptions import LifecycleError

Row = tuple[str | None, ...]

#: under which every value is turned into text, and text into values
SETTINGS = {
    "TimeZone": "UTC",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "iso_8601",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "lc_monetary": "C",
    "xmloption": "content",
}


class FormatError(LifecycleError):
    """The file is not what its format says."""


class Column(NamedTuple):
    """A column: its name, and its type in the words of PostgreSQL's `format_type`."""

    name: str
    db_type: str


class Writer(Protocol):
    """Writes rows to a file; holds no more than some thousand of them. Does not close the file."""

    def write(self, rows: Sequence[Row]) -> None:
        """Add rows, with a value for each column."""

    def close(self) -> None:
        """Write what is left, and the end of the file."""


class BlockWriter(Protocol):
    """Writes rows as the database gives them: the text that its format has asked for."""

    def write_block(self, block: bytes) -> None:
        """Add whole rows, each with a line's end."""

    def close(self) -> None:
        """Write what is left, and the end of the file."""


Reader = Iterator[Row]


@dataclass(frozen=True)
class Format:
    """A format; `suffix` is the end of a file's name."""

    name: str
    suffix: str

    def writer(self, columns: Sequence[Column], file: BinaryIO) -> Writer:
        """A writer to a file that is open for bytes."""
        raise NotImplementedError

    def copied(self, columns: Sequence[Column], quote: Callable[[str], str]) -> str | None:
        """SQL: the text of a row of a table with these columns, for a `block_writer`; None where
        it is made from each value's text, row after row. `quote`: a column as SQL."""
        return None

    def block_writer(self, columns: Sequence[Column], file: BinaryIO) -> BlockWriter:
        """A writer of what `copied` says, to a file that is open for bytes."""
        raise NotImplementedError

    def reader(
        self, columns: Sequence[Column], file: BinaryIO, longest: int | None = None
    ) -> Reader:
        """The rows of a file, one after the other; `FormatError` where it is not of this format.

        With `longest` the file may be anybody's: a row of more bytes is refused before it is in
        memory, and so is a format of which that cannot be told.
        """
        raise FormatError(f"{self.name} is for people: rows cannot be read from it.")

    def count(self, columns: Sequence[Column], file: BinaryIO) -> int:
        """How many rows a file has, found by reading all of it."""
        return sum(1 for _ in self.reader(columns, file))

    @property
    def is_bounded(self) -> bool:
        """Whether rows of a file that may be anybody's can be read in little memory."""
        return self.can_be_loaded

    @property
    def can_be_loaded(self) -> bool:
        """Whether rows can be read from it."""
        return True

    @property
    def missing(self) -> str:
        """What has to be installed before it can be used, in words; empty where nothing has."""
        return ""


def lines(file: BinaryIO, longest: int | None) -> Iterator[bytes]:
    """The lines of a file with their ends; `FormatError` for one that is longer than `longest`."""
    most = -1 if longest is None else longest + 1
    while line := file.readline(most):
        if 0 < most <= len(line):
            raise FormatError(f"It has a row of more than {longest:,} bytes.")
        yield line


def exact_name(columns: Sequence[Column], name: str = "_exact") -> str:
    """The name, of no column, of the extra field for texts that its own types cannot hold."""
    taken = {column.name for column in columns}
    while name in taken:
        name += "_"
    return name
