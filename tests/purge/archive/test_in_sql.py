"""Values that the database makes for a format are those that are made from each value's text."""

import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg import sql

from purge.archive.formats import FORMATS, Column, Row
from purge.archive.formats.in_sql import json_value
from purge.archive.formats.json import Lines, _fields
from purge.archive.formats.parquet import PARQUET
from tests.purge.archive.test_round_trip import MANY, Tables, through
from tests.support import session

COPIED = [each for each in FORMATS.values() if each.can_be_loaded]
#: types whose values are made from their text alone
FROM_TEXT = {"box[]", "bytea[]", "int4range[]", "citext[]", "character varying(20)[]"}


def quote(name: str) -> str:
    return sql.Identifier(name).as_string().replace("%", "%%")


@pytest.mark.slow
@pytest.mark.django_db
def test_each_type_of_column() -> None:
    with session() as other:
        tables = Tables(other)
        taken = [column for column in tables.columns if json_value(column, quote)]
        left = {column.db_type for column in tables.columns} - {each.db_type for each in taken}
        assert left <= FROM_TEXT, left
        one = st.tuples(*(values | st.none() for values in tables.types.values()))

        @settings(MANY, max_examples=15)
        @given(st.lists(one, min_size=1, max_size=6))
        def made_alike(rows: list[Row]) -> None:
            with other.transaction():
                tables.refill("here", rows)
                places = [tables.columns.index(column) for column in taken]
                there = [tuple(row[place] for place in places) for row in tables.rows()]
                for form in COPIED:
                    block = copied(other, form.copied(taken, quote))
                    assert read_back(form, taken, block) == through(form, taken, there), form.name
                lines = copied(other, FORMATS["jsonl"].copied(taken, quote)).decode()
                alike(taken, lines.split("\n")[:-1], Lines(taken).of(there))

        made_alike()
        other.rollback()


def alike(columns: list[Column], lines: list[str], expected: list[str]) -> None:
    """Lines are the same to the letter, but for the blanks in lists and in what is said beside."""
    assert len(lines) == len(expected)
    for line, other in zip(lines, expected, strict=True):
        one, two = dict(_fields(line)), dict(_fields(other))
        assert list(one) == list(two)
        for name, db_type in columns:
            if not db_type.endswith("[]"):
                assert one[name] == two[name]
        assert json.loads(one.get("_exact", "{}")) == json.loads(two.get("_exact", "{}"))


def copied(other: Any, line: str | None) -> bytes:
    assert line
    rows = other.execute(f"SELECT {line % ()} FROM here ORDER BY id").fetchall()
    return "".join(f"{text}\n" for (text,) in rows).encode()


def read_back(form: Any, columns: list[Column], block: bytes) -> list[Row]:
    file = io.BytesIO()
    writer = form.block_writer(columns, file)
    writer.write_block(block)
    writer.close()
    file.seek(0)
    return list(form.reader(columns, file))


@pytest.mark.django_db
def test_rows_of_very_many_columns() -> None:
    """A function of PostgreSQL takes 100 arguments."""
    columns = [Column(f"100% {n}", "jsonb" if n % 40 == 0 else "integer") for n in range(300)]
    names = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(db_type)) for name, db_type in columns
    )
    with session() as other:
        other.execute(sql.SQL("CREATE TEMP TABLE here (id serial, {})").format(names))
        other.execute("""INSERT INTO here ("100% 0", "100% 299") VALUES ('null', 7)""")
        (row,) = read_back(
            FORMATS["jsonl"], columns, copied(other, FORMATS["jsonl"].copied(columns, quote))
        )
        assert (row[0], row[40], row[299]) == ("null", None, "7")
        other.rollback()
    documents = [Column(f"d{n}", "jsonb") for n in range(50)]
    assert FORMATS["jsonl"].copied(documents, quote) is None
    assert PARQUET.copied([Column(f"d{n}", "date") for n in range(50)], quote) is None
