"""The rows of a file of an archive but for some, into another file of the same format.

What stays is copied as it stands: a line, or a row of its own types. Places count from 0, in the
order of the file.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing
from functools import partial
from typing import Any, BinaryIO

from purge.archive.formats import FORMATS, iceberg
from purge.archive.formats.base import Column, FormatError
from purge.archive.formats.compressed import errors
from purge.archive.formats.iceberg import ICEBERG
from purge.archive.formats.json import JSON, JSONL, JSONL_ZSTD, ArrayWriter, Json, Packing
from purge.archive.formats.parquet import GROUP, PARQUET, batches
from purge.archive.formats.txt import TXT

HEADS = 2  # lines at the top of a text


def copy_without(
    form: str, columns: Sequence[Column], file: BinaryIO, places: Collection[int], to: BinaryIO
) -> None:
    """Copy the rows of a file that are not at some places; `FormatError` where it is no such file.

    Neither file is closed.
    """
    if why := FORMATS[form].missing:
        raise FormatError(f"The format {form} is not installed: {why}")
    file.seek(0)
    try:
        COPIES[form](columns, file, places, to)
    except errors() as error:
        raise FormatError(f"This is no {form} archive of these columns.") from error


def rows_as_stored(form: str, columns: Sequence[Column], file: BinaryIO) -> Iterator[Any]:
    """The rows of a file as they stand in it, to be compared: lines, or what its reader gives."""
    file.seek(0)
    kind = FORMATS[form]
    if isinstance(kind, Json):
        yield from kind.read_lines(file, lambda line: (line,))
    elif form == TXT.name:
        for _ in range(HEADS):
            file.readline()
        yield from file
    else:
        yield from kind.reader(columns, file)


def _lines(unpacked: Packing | None, packed: Packing | None) -> "Copy":
    def copy(
        columns: Sequence[Column], file: BinaryIO, places: Collection[int], to: BinaryIO
    ) -> None:
        if unpacked is None or packed is None:
            raise FormatError("It is not compressed.")
        with closing(unpacked(file)) as rows, closing(packed(to)) as left:
            for line in _left(rows, places):
                left.write(line)

    return copy


def _array(
    columns: Sequence[Column], file: BinaryIO, places: Collection[int], to: BinaryIO
) -> None:
    writer = ArrayWriter(columns, to)
    rows = (line for line in file if line not in (b"[\n", b"]\n", b"[]\n"))
    for line in _left(rows, places):
        writer.write_block(line.rstrip(b"\n").removesuffix(b",") + b"\n")
    writer.close()


def _text(columns: Sequence[Column], file: BinaryIO, places: Collection[int], to: BinaryIO) -> None:
    for _ in range(HEADS):
        to.write(file.readline())
    for line in _left(file, places):
        to.write(line)


def _parquet(
    columns: Sequence[Column], file: BinaryIO, places: Collection[int], to: BinaryIO,
    group: int = GROUP, **options: Any,
) -> None:  # fmt: skip
    import pyarrow
    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile, ParquetWriter

    try:
        rows, at = ParquetFile(file), 0
        schema = rows.schema_arrow
        packed = {"compression": "zstd", "use_dictionary": False}
        with ParquetWriter(to, schema, **packed, **options) as left:
            for batch in batches(rows, group):
                stays = [at + place not in places for place in range(len(batch))]
                at += len(batch)
                kept = batch.filter(pyarrow.array(stays, pyarrow.bool_()))
                left.write_table(pyarrow.Table.from_batches([kept], schema))
    except ArrowException as error:
        raise FormatError("This is no parquet archive of these columns.") from error


def _left(rows: Any, places: Collection[int]) -> Iterator[bytes]:
    return (line for place, line in enumerate(rows) if place not in places)


Copy = Callable[[Sequence[Column], BinaryIO, Collection[int], BinaryIO], None]
COPIES: dict[str, Copy] = {
    JSON.name: _array,
    JSONL.name: _lines(JSONL.unpacked, JSONL.packed),
    JSONL_ZSTD.name: _lines(JSONL_ZSTD.unpacked, JSONL_ZSTD.packed),
    TXT.name: _text,
    PARQUET.name: _parquet,
    ICEBERG.name: partial(_parquet, group=iceberg.GROUP, store_decimal_as_integer=True),
}
