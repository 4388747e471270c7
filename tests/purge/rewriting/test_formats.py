"""Rows that are copied, and columns that are read, are those that the format's reader gives."""

import io
import json

import pyarrow
import pytest
from pyarrow.parquet import ParquetFile, ParquetWriter

from purge.archive.formats import FORMATS, Column, FormatError, Row
from purge.archive.formats.parquet import batches
from purge.archive.formats.some_columns import read_some
from purge.archive.formats.without import copy_without, rows_as_stored

COLUMNS = [
    Column("id", "bigint"), Column("label", "text"), Column("ok", "boolean"),
    Column("n", "numeric"), Column("f", "double precision"), Column("doc", "jsonb"),
    Column("tags", "text[]"),
    Column("_exact", "uuid"), Column("at", "timestamp with time zone"),
]  # fmt: skip
DEEP = "[" * 3_000 + "]" * 3_000
ROWS: list[Row] = [
    ("1", 'a\n, ]\u2028"\\', "true", "1.50", "1.5", '{"a": [1, null]}', '{a,"b c"}', None, None),
    ("9007199254740993", "", "false", "NaN", "NaN", "null", None, None, "2024-10-01 10:00:00+00"),
    ("-2", None, None, None, None, None, "{}", "7b0f3b6e-0000-4000-8000-000000000000", None),
    ("3", "x", "true", "1", "-Infinity", "1" * 5_000, "{NULL}", None, "infinity"),
    ("4", "ä", "false", "0", "0", DEEP, "{1}", None, "0044-03-15 00:00:00+00 BC"),
]
NAMES = [name for name, _ in COLUMNS]


def made(form: str, rows: list[Row]) -> io.BytesIO:
    file = io.BytesIO()
    writer = FORMATS[form].writer(COLUMNS, file)
    writer.write(rows)
    writer.close()
    return io.BytesIO(file.getvalue())


@pytest.mark.parametrize("form", ["jsonl", "jsonlzst", "json", "parquet"])
def test_some_columns(form: str) -> None:
    file = made(form, ROWS)
    whole = list(FORMATS[form].reader(COLUMNS, file))
    for names in (["id"], ["label", "id"], ["ok", "_exact"], NAMES):
        file.seek(0)
        places = [NAMES.index(name) for name in names]
        expected = [tuple(row[place] for place in places) for row in whole]
        assert list(read_some(form, COLUMNS, file, names)) == expected


@pytest.mark.parametrize("form", list(FORMATS))
@pytest.mark.parametrize("gone", [{0}, {4}, {1, 2, 3}, set(), {0, 1, 2, 3, 4}])
def test_the_rows_that_stay(form: str, gone: set[int]) -> None:
    file, left = made(form, ROWS), io.BytesIO()
    copy_without(form, COLUMNS, file, gone, left)
    stay = [row for place, row in enumerate(ROWS) if place not in gone]
    kind, copied = FORMATS[form], io.BytesIO(left.getvalue())
    assert kind.count(COLUMNS, copied) == len(stay)
    expected = list(rows_as_stored(form, COLUMNS, file))
    assert list(rows_as_stored(form, COLUMNS, copied)) == [
        row for place, row in enumerate(expected) if place not in gone
    ]
    if kind.can_be_loaded:
        again = made(form, stay)
        again.seek(0)
        copied.seek(0)
        assert list(kind.reader(COLUMNS, copied)) == list(kind.reader(COLUMNS, again))


@pytest.mark.parametrize("form", ["jsonl", "jsonlzst", "parquet"])
def test_what_is_no_such_file(form: str) -> None:
    with pytest.raises(FormatError):
        copy_without(form, COLUMNS, io.BytesIO(json.dumps(NAMES).encode()), {0}, io.BytesIO())


def test_groups_of_wide_rows_are_not_read_together() -> None:
    """Else the memory has as many rows as a group of narrow ones."""
    file = io.BytesIO()
    with ParquetWriter(file, pyarrow.schema([("x", pyarrow.string())])) as to:
        for _ in range(3):
            to.write_table(pyarrow.table({"x": ["a", "b"]}))
    found = batches(ParquetFile(io.BytesIO(file.getvalue())), 100)
    assert [len(each) for each in found] == [2, 2, 2]
