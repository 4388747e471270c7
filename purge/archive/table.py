"""The table of an archive's rows, read as exact text: what PostgreSQL gives for each column.

A row's hash is made of that same text, when it is written and again before it is deleted: a row
that was changed in between has another hash.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from django.db import connections, transaction
from psycopg import sql

from lifecycle.compiler.policy_sql import compiled
from lifecycle.db.connection import Placed, fetch, local_settings, scalar, statement
from lifecycle.db.sql import array_text
from lifecycle.policy.fixed_age import age_of
from lifecycle.policy.policy import Policy
from purge.archive.formats import Column, Row
from purge.archive.formats.base import SETTINGS

FETCHED = 100  # rows in memory at a time: wide ones must not fill it


@contextmanager
def exact(using: str) -> Iterator[None]:
    """Have PostgreSQL give exact text inside the block; the caller has a transaction open."""
    with local_settings(using, **SETTINGS):
        yield


class ReadRow(NamedTuple):
    """One row: its key, its hash, its time or None, and each column, as PostgreSQL's text."""

    key: str
    hash: bytes
    time: str | None
    values: Row


class TableColumn(NamedTuple):
    """A column of a table: also whether a row needs a value for it, and whether it is computed."""

    name: str
    db_type: str
    needs_value: bool
    computed: bool


@dataclass(frozen=True)
class Table:
    """The table of a policy, as it is archived."""

    policy: Policy
    using: str
    check: Callable[[], None] = lambda: None  # raises `LockLost`

    @cached_property
    def columns(self) -> list[Column]:
        """Every column, in the order of the table."""
        quoted = sql.Identifier(self.name).as_string()
        return [Column(each.name, each.db_type) for each in columns_of(quoted, self.using)]

    @property
    def name(self) -> str:
        return compiled(self.policy).tables[0]

    @property
    def key(self) -> str:
        return compiled(self.policy).key.column

    @property
    def hash(self) -> Placed:
        """SQL: the hash of a row's values, which another value changes."""
        own = f"ROW({', '.join(self._values)})::text"
        return Placed(f"sha256(convert_to({own}, 'UTF8'))")

    @property
    def _values(self) -> list[str]:
        return [f"{self._column(column.name)}::text" for column in self.columns]

    def _column(self, name: str) -> str:
        return sql.Identifier(self.name, name).as_string().replace("%", "%%")

    @property
    def time(self) -> str | None:
        """The column of the time that the manifest shows of rows: what their end counts from, else
        their creation; None where they have neither."""
        aged = age_of(self.policy.expires)
        model: Any = self.policy.model._meta.concrete_model
        if aged:
            return str(model._meta.get_field(aged[0]).column)
        own = model._meta.local_concrete_fields
        return next((str(f.column) for f in own if getattr(f, "auto_now_add", False)), None)

    def sql(self, module: str, name: str, **parts: Any) -> str:
        """A module's statement with the parts that each statement about this table needs."""
        key = compiled(self.policy).key
        cast = f"::{key.cast}[]" if key.kind == "text" else ""
        column = self._column(key.column)
        base = {"table": self.name, "column": Placed(column)}
        base |= {"own_key": Placed(key.stored(column)), "key_text": Placed(key.text(column))}
        return statement(module, name, **base, kind=Placed(key.kind), cast=Placed(cast), **parts)

    def read(self, keys: list[str]) -> Iterator[list[ReadRow]]:
        """The rows of some keys as they are now, in key order, at most `FETCHED` at a time."""
        time = f"{self._column(self.time)}::text" if self.time else "NULL"
        names = [f"lc_{number}" for number in range(len(self.columns))]
        made = Placed(", ".join(names))
        values = Placed(", ".join(map("{} AS {}".format, self._values, names)))
        text = self.sql(__file__, "read", time=Placed(time), values=values, made=made)
        with (
            transaction.atomic(using=self.using),
            exact(self.using),
            connections[self.using].chunked_cursor() as cursor,
        ):
            cursor.execute(text, {"keys": array_text(keys)})
            while rows := cursor.fetchmany(FETCHED):
                yield [ReadRow(row[0], row[1], row[2], row[3:]) for row in rows]


def columns_of(table: str, using: str) -> list[TableColumn]:
    """Every column of a table, whose name is quoted; none where there is no such table."""
    found = fetch(using, statement(__file__, "columns"), {"table": table})
    return [TableColumn(*row) for row in found]


def forget_gone(table: Table, archive: int) -> None:
    """Forget the keys of an archive's rows that are gone from the table."""
    fetch(table.using, table.sql(__file__, "forget_gone"), {"archive": archive})


def still_there(table: Table, archive: int) -> bool:
    """Whether some row of an archive is in the database as it was written."""
    text = table.sql(__file__, "still_there", hash=Placed(table.hash))
    with exact(table.using):
        return bool(scalar(table.using, text, {"archive": archive}))
