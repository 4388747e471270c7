"""Every type of column through every format that programs read: equal, column by column."""

import io

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from purge.archive.formats import FORMATS, Column, Format, Row
from purge.archive.formats.base import SETTINGS
from tests.purge.archive.types import CONTRIB, TYPES
from tests.support import session

PROGRAMS = [each for each in FORMATS.values() if each.can_be_loaded]
Session = psycopg.Connection[tuple[object, ...]]


class Tables:
    """A table with a column of each type, and one to bring the rows back into."""

    def __init__(self, other: Session) -> None:
        self.other = other
        for name, value in SETTINGS.items():
            other.execute("SELECT set_config(%s, %s, false)", [name, value])
        known = {name for (name,) in other.execute("SELECT name FROM pg_available_extensions")}
        self.types = dict(TYPES)
        for name, (extension, values) in CONTRIB.items():
            if extension in known:
                other.execute(f"CREATE EXTENSION IF NOT EXISTS {extension}")
                self.types[name] = values
        self.columns = [Column(f"c {n}", name) for n, name in enumerate(self.types)]
        told = ", ".join(f'"{name}" {db_type}' for name, db_type in self.columns)
        for table in ("here", "back"):
            other.execute(f"CREATE TEMP TABLE {table} (id serial, {told})")

    def refill(self, table: str, rows: list[Row]) -> None:
        self.other.execute(f"TRUNCATE {table} RESTART IDENTITY")
        names = sql.SQL(", ").join(sql.Identifier(column.name) for column in self.columns)
        copy = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), names)
        with self.other.cursor().copy(copy) as into:
            for row in rows:
                into.write_row(row)

    def rows(self) -> list[Row]:
        told = ", ".join(f'"{name}"::text' for name, _ in self.columns)
        return self.other.execute(f"SELECT {told} FROM here ORDER BY id").fetchall()  # type: ignore

    def differing(self) -> list[str]:
        """The types of the columns whose values are not the same in both tables."""
        pairs = ", ".join(
            f'count(*) FILTER (WHERE h."{name}"::text IS DISTINCT FROM b."{name}"::text)'
            for name, _ in self.columns
        )
        found = self.other.execute(
            f"SELECT {pairs} FROM here AS h FULL JOIN back AS b USING (id)"
        ).fetchone()
        return [c.db_type for c, n in zip(self.columns, found or (), strict=True) if n]


MANY = settings(
    max_examples=40,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.django_db
def test_values_of_every_type_come_back_as_they_were() -> None:
    with session() as other:
        tables = Tables(other)
        one = st.tuples(*(values | st.none() for values in tables.types.values()))

        @MANY
        @given(st.lists(one, min_size=1, max_size=6))
        def through_each(rows: list[Row]) -> None:
            with other.transaction():
                tables.refill("here", rows)
                there = tables.rows()
                for form in PROGRAMS:
                    tables.refill("back", through(form, tables.columns, there))
                    assert (form.name, tables.differing()) == (form.name, [])

        through_each()
        other.rollback()


def through(form: Format, columns: list[Column], rows: list[Row]) -> list[Row]:
    """What a format gives back of rows."""
    file = io.BytesIO()
    writer = form.writer(columns, file)
    writer.write(rows)
    writer.close()
    file.seek(0)
    return list(form.reader(columns, file))
