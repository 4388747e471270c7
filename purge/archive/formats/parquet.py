"""Parquet, through pyarrow (the extra `parquet`).

A column has Parquet's own type where it has one that holds nearly every value; what it does not
hold, an `infinity`, a year BC, a NaN among decimals, is NULL there, and its text is in
the column `_exact`, an object by the columns' names. All other types are text as PostgreSQL writes
it, documents and arrays as JSON.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, BinaryIO

from purge.archive.formats.base import (
    BlockWriter,
    Column,
    Format,
    FormatError,
    Reader,
    Row,
    Writer,
    exact_name,
)
from purge.archive.formats.in_sql import csv_line
from purge.archive.formats.values import base_of, decimal_of, decode, encoder

GROUP = 10_000  # rows
FULL = 16 * 2**20  # characters of a group


@dataclass(frozen=True)
class Parquet(Format):
    """Rows as Parquet, in groups of 10,000."""

    @property
    def missing(self) -> str:
        return "" if find_spec("pyarrow") else "pip install django-tombstone[parquet]"

    def writer(self, columns: Sequence[Column], file: BinaryIO) -> Writer:
        self._require()
        return ParquetWriter(columns, file)

    def copied(self, columns: Sequence[Column], quote: Callable[[str], str]) -> str | None:
        return csv_line(columns, quote)

    def block_writer(self, columns: Sequence[Column], file: BinaryIO) -> BlockWriter:
        self._require()
        return ParquetWriter(columns, file)

    @property
    def is_bounded(self) -> bool:
        """No: what a page of it takes in memory is known when it is unpacked, not before."""
        return False

    def reader(
        self, columns: Sequence[Column], file: BinaryIO, longest: int | None = None
    ) -> Reader:
        self._require()
        if longest is not None:
            raise FormatError("Parquet that may be anybody's is not read: it takes any memory.")
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile

        try:
            for batch in batches(ParquetFile(file), GROUP):
                yield from _rows(columns, batch)
        except (ArrowException, OSError, KeyError) as error:
            raise FormatError("This is no parquet archive of these columns.") from error

    def _require(self) -> None:
        if self.missing:
            raise FormatError(f"The format parquet needs pyarrow: {self.missing}")


PARQUET = Parquet("parquet", ".parquet")


class ParquetWriter:
    """Holds one group of rows."""

    def __init__(self, columns: Sequence[Column], file: BinaryIO) -> None:
        import pyarrow
        from pyarrow.parquet import ParquetWriter as File

        self.columns, self.exact_name = columns, exact_name(columns)
        fields = [(column.name, arrow_type(column.db_type)) for column in columns]
        self.schema = pyarrow.schema([*fields, (self.exact_name, pyarrow.string())])
        # Zstandard makes less of dictionaries than of the values: keys and times are all different.
        self.file = File(file, self.schema, compression="zstd", use_dictionary=False)
        self.rows: list[Row] = []
        self.tables: list[Any] = []
        self.size = 0

    def write_block(self, block: bytes) -> None:
        self.tables.append(parsed(block, self.schema))
        self.size += len(block)
        if sum(len(each) for each in self.tables) >= GROUP or self.size >= FULL:
            self._flush_tables()

    def _flush_tables(self) -> None:
        if not self.tables:
            return
        import pyarrow

        self.file.write_table(pyarrow.concat_tables(self.tables))
        self.tables, self.size = [], 0

    def write(self, rows: Sequence[Row]) -> None:
        for row in rows:
            self.rows.append(row)
            self.size += sum(len(value) for value in row if value)
            if len(self.rows) >= GROUP or self.size >= FULL:
                self._flush()

    def close(self) -> None:
        self._flush()
        self._flush_tables()
        self.file.close()

    def _flush(self) -> None:
        if not self.rows:
            return
        self.file.write_table(tabled(self.rows, self.columns, self.schema))
        self.rows, self.size = [], 0


def tabled(rows: Sequence[Row], columns: Sequence[Column], schema: Any) -> Any:
    """Rows as a table of the types of a schema, whose last field is for the exact texts."""
    import pyarrow

    exact: list[dict[str, str]] = [{} for _ in rows]
    values = zip(*rows, strict=True)
    arrays = [
        _array(column, texts, field.type, exact)
        for column, texts, field in zip(columns, values, schema, strict=False)
    ]
    exact_texts = [json.dumps(each, ensure_ascii=False) if each else None for each in exact]
    arrays.append(pyarrow.array(exact_texts, pyarrow.string()))
    return pyarrow.Table.from_arrays(arrays, schema=schema)


def parsed(block: bytes, schema: Any) -> Any:
    """Rows as the database has written them, CSV, as a table of the types of a schema.

    A NULL is nothing there, an empty text is in quotes.
    """
    import pyarrow
    from pyarrow import csv

    names = [str(number) for number in range(len(schema))]
    types = dict(zip(names, schema.types, strict=True))
    found = csv.read_csv(
        pyarrow.BufferReader(block),
        csv.ReadOptions(column_names=names, block_size=len(block) + 1, use_threads=False),
        csv.ParseOptions(newlines_in_values=True),
        csv.ConvertOptions(
            column_types=types, null_values=[""], true_values=["t"], false_values=["f"],
            strings_can_be_null=True, quoted_strings_can_be_null=False,
        ),
    )  # fmt: skip
    return pyarrow.Table.from_arrays(found.columns, schema=schema)


def arrow_type(db_type: str) -> Any:
    """Parquet's type of a column; text where no other holds what PostgreSQL's does."""
    import pyarrow

    if digits := decimal_of(db_type):
        return pyarrow.decimal128(*digits)
    return {
        "smallint": pyarrow.int16(),
        "integer": pyarrow.int32(),
        "bigint": pyarrow.int64(),
        "real": pyarrow.float32(),
        "double precision": pyarrow.float64(),
        "boolean": pyarrow.bool_(),
        "date": pyarrow.date32(),
        "timestamp with time zone": pyarrow.timestamp("us", "UTC"),
        "timestamp without time zone": pyarrow.timestamp("us"),
    }.get(base_of(db_type), pyarrow.string())


def _array(
    column: Column, values: tuple[str | None, ...], kind: Any, exact: list[dict[str, str]]
) -> Any:
    """The values of a column as a type; texts that it does not hold go into `exact`."""
    import pyarrow

    if kind == pyarrow.string():
        return pyarrow.array(_texts(column, values), kind)
    if kind == pyarrow.bool_():
        return pyarrow.array([value and value[0] == "t" for value in values], kind)
    if (whole := _cast(values, kind)) is not None:
        return whole
    fitting: list[str | None] = []
    for index, value in enumerate(values):
        fits = value is None or _cast((value,), kind) is not None
        fitting.append(value if fits else None)
        if value is not None and not fits:
            exact[index][column.name] = value
    return _cast(tuple(fitting), kind)


def _cast(values: tuple[str | None, ...], kind: Any) -> Any:
    import pyarrow
    from pyarrow.compute import cast

    try:
        return cast(pyarrow.array(values, pyarrow.string()), kind)
    except pyarrow.ArrowInvalid:
        return None


def _texts(column: Column, values: tuple[str | None, ...]) -> Sequence[str | None]:
    if not column.db_type.endswith("[]"):
        return values
    encode: Any = encoder(column.db_type)
    return [None if value is None else encode(value) for value in values]


def batches(file: Any, rows: int) -> Iterator[Any]:
    """The rows of pyarrow's file, never of two groups at once: groups of wide rows are small."""
    for group in range(file.num_row_groups):
        yield from file.iter_batches(batch_size=rows, row_groups=[group])


def _rows(columns: Sequence[Column], batch: Any) -> Reader:
    import pyarrow
    from pyarrow.compute import cast

    texts = []
    for name, db_type in columns:
        found = cast(batch.column(name), pyarrow.string()).to_pylist()
        arrays = db_type.endswith("[]")
        texts.append([v and decode(v, db_type) for v in found] if arrays else found)
    names = [name for name, _ in columns]
    exact_texts = batch.column(exact_name(columns)).to_pylist()
    for row, exact in zip(zip(*texts, strict=True), exact_texts, strict=True):
        yield _completed(names, row, json.loads(exact)) if exact else row


def _completed(names: list[str], row: Row, exact: dict[str, str]) -> Row:
    return tuple(exact.get(name, value) for name, value in zip(names, row, strict=True))
