"""The data files of a table of Apache Iceberg (the extra `iceberg`): Parquet with numbered fields.

A file for each month in which rows of an archive are. What makes a table of them is in
`purge.iceberg`. Values are those of `purge.archive.formats.parquet`; only the narrowest integers
are wider, for Iceberg has none of 16 bits. A further field says when its archive was written.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib.util import find_spec
from typing import Any, BinaryIO, NamedTuple

from purge.archive.formats.base import Column, FormatError, Row, exact_name
from purge.archive.formats.parquet import Parquet, arrow_type, parsed, tabled
from purge.exceptions import ArchiveError

GROUP = 100_000  # rows of a group in a file, unless they are wide
FULL = 32 * 2**20  # bytes of rows, of all months, that wait to be written
MONTHS = 400  # with which a file each is open
NEVER = "none"  # in the name of a file: of rows that have no month


class Layout(NamedTuple):
    """How the rows of a table are written: the number of each field by its name, the column whose
    months part them, and the moment that the further field says."""

    numbers: dict[str, int]
    month_of: str | None
    written_at: datetime


@dataclass(frozen=True)
class Iceberg(Parquet):
    """Data files of a table. They are written by `MonthWriter`, which needs a layout."""

    @property
    def missing(self) -> str:
        there = find_spec("pyiceberg") and find_spec("pyarrow")
        return "" if there else "pip install django-tombstone[iceberg]"

    def _require(self) -> None:
        if self.missing:
            raise FormatError(f"The format iceberg needs pyiceberg: {self.missing}")


ICEBERG = Iceberg("iceberg", ".parquet")


def written_name(columns: Sequence[Column]) -> str:
    """The name, of no column, of the field that says when a row's archive was written."""
    return exact_name(columns, "_archived_at")


def wide_type(db_type: str) -> Any:
    """The type of a column in a data file."""
    import pyarrow

    kind = arrow_type(db_type)
    return pyarrow.int32() if kind == pyarrow.int16() else kind


@dataclass
class Month:
    """The rows of one month: those that wait, and the file that has the others."""

    file: Any  # pyarrow's ParquetWriter
    waiting: list[Any] = field(default_factory=list)
    rows: int = 0
    bytes: int = 0


class MonthWriter:
    """Writes rows, given as blocks or as text, into a file for each month.

    Holds about 32 MiB of them, whatever the number of months. `new_file` gives a month's file.
    """

    def __init__(
        self, columns: Sequence[Column], layout: Layout, new_file: Callable[[str], BinaryIO]
    ) -> None:
        ICEBERG._require()
        import pyarrow

        self.columns, self.layout, self.new_file = columns, layout, new_file
        own = [(column.name, wide_type(column.db_type)) for column in columns]
        texts = (exact_name(columns), pyarrow.string())
        moment = (written_name(columns), pyarrow.timestamp("us", "UTC"))
        self.given = pyarrow.schema([*own, texts])
        numbered = [
            pyarrow.field(name, kind, metadata={"PARQUET:field_id": str(layout.numbers[name])})
            for name, kind in (*own, texts, moment)
        ]
        self.schema = pyarrow.schema(numbered)
        self.months: dict[str, Month] = {}

    def write_block(self, block: bytes) -> None:
        self._add(parsed(block, self.given))

    def write(self, rows: Sequence[Row]) -> None:
        if rows:
            self._add(tabled(rows, self.columns, self.given))

    def close(self) -> None:
        for month in self.months.values():
            _flush(month)
            month.file.close()

    def _add(self, table: Any) -> None:
        import pyarrow

        moments = pyarrow.repeat(
            pyarrow.scalar(self.layout.written_at, self.schema[-1].type), len(table)
        )
        whole = pyarrow.Table.from_arrays([*table.columns, moments], schema=self.schema)
        for label, part in by_month(whole, self.layout.month_of):
            month = self._month(label)
            month.waiting.append(part)
            month.rows += len(part)
            month.bytes += part.nbytes
            if month.rows >= GROUP:
                _flush(month)
        while sum(each.bytes for each in self.months.values()) >= FULL:
            _flush(max(self.months.values(), key=lambda each: each.bytes))

    def _month(self, label: str) -> Month:
        from pyarrow.parquet import ParquetWriter

        if label not in self.months:
            if len(self.months) >= MONTHS:
                raise ArchiveError(
                    f"Rows of one archive are of more than {MONTHS} months: give it fewer rows"
                    " by `batch_rows`."
                )
            file = ParquetWriter(
                self.new_file(label), self.schema, compression="zstd", use_dictionary=False,
                store_decimal_as_integer=True,
            )  # fmt: skip
            self.months[label] = Month(file)
        return self.months[label]


def _flush(month: Month) -> None:
    import pyarrow

    if month.waiting:
        month.file.write_table(pyarrow.concat_tables(month.waiting), row_group_size=GROUP)
    month.waiting, month.rows, month.bytes = [], 0, 0


def by_month(table: Any, column: str | None) -> list[tuple[str, Any]]:
    """The rows of a table by the month, of UTC, of a column: `2024-12`, or `none`; all of them
    under '' where no column parts them."""
    import pyarrow.compute as compute

    if column is None:
        return [("", table)]
    months = _months(table.column(column))
    found = compute.unique(months).to_pylist()
    if len(found) == 1:
        return [(label_of(found[0]), table)]
    return [
        (
            label_of(each),
            table.filter(compute.is_null(months) if each is None else compute.equal(months, each)),
        )
        for each in found
    ]


def _months(values: Any) -> Any:
    """The months since 1970 of a column's values."""
    import pyarrow
    import pyarrow.compute as compute

    times = values.combine_chunks()
    if isinstance(times, pyarrow.ChunkedArray):
        times = times.chunk(0)
    if pyarrow.types.is_timestamp(times.type):
        times = times.view(pyarrow.timestamp("us"))  # UTC either way; needs no table of zones
    years = compute.subtract(compute.year(times), 1970)
    return compute.add(compute.multiply(years, 12), compute.subtract(compute.month(times), 1))


def label_of(month: int | None) -> str:
    """`2024-12`, from the months since 1970."""
    return NEVER if month is None else f"{1970 + month // 12:04}-{month % 12 + 1:02}"


def month_of(label: str) -> int | None:
    """The months since 1970, from a label."""
    if label == NEVER:
        return None
    year, month = label.split("-")
    return (int(year) - 1970) * 12 + int(month) - 1
