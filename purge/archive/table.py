"""How the rows of an archive are read: each column as the text that PostgreSQL gives it, exactly.

A row's hash is made of that same text, when it is written and again before it is deleted: what has
changed in between has another one.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db import connections, transaction
from psycopg import sql

from lifecycle.compiler.policy_sql import compiled
from lifecycle.db.connection import Placed, fetch, local_settings, scalar, statement
from lifecycle.db.literals import array_text
from lifecycle.policy.fixed_age import age_of
from lifecycle.policy.policy import Policy
from purge.archive.formats import Column, Row
from purge.archive.formats.base import SETTINGS

AT_ONCE = 100  # rows of one answer: wide ones must not fill the memory


@contextmanager
def exact(using: str) -> Iterator[None]:
    """Values as exact text, in a transaction, until the end of the block."""
    with local_settings(using, **SETTINGS):
        yield


@dataclass(frozen=True)
class Table:
    """The table of a policy, as it is archived."""

    policy: Policy
    using: str
    check: Callable[[], None] = lambda: None  # raises where another worker may write an archive

    @cached_property
    def columns(self) -> list[Column]:
        """Every column, in the order of the table."""
        quoted = sql.Identifier(self.name).as_string()
        return [Column(*row[:2]) for row in columns_of(quoted, self.using)]

    @property
    def name(self) -> str:
        return compiled(self.policy).tables[0]

    @property
    def key(self) -> str:
        return compiled(self.policy).key.column

    @property
    def hash(self) -> Placed:
        """SQL: what tells a row from itself after a change."""
        own = f"ROW({', '.join(self._values)})::text"
        return Placed(f"sha256(convert_to({own}, 'UTF8'))")

    @property
    def _values(self) -> list[str]:
        return [f"{self._column(column.name)}::text" for column in self.columns]

    def _column(self, name: str) -> str:
        return sql.Identifier(self.name, name).as_string().replace("%", "%%")

    @property
    def time(self) -> str | None:
        """The column by which the rows have a time: of their end, or of their creation."""
        aged = age_of(self.policy.expires)
        model: Any = self.policy.model._meta.concrete_model
        if aged:
            return str(model._meta.get_field(aged[0]).column)
        own = model._meta.local_concrete_fields
        return next((str(f.column) for f in own if getattr(f, "auto_now_add", False)), None)

    def sql(self, module: str, name: str, **parts: Any) -> str:
        """A module's statement with what every one about such a table names."""
        key = compiled(self.policy).key
        cast = f"::{key.db_type}[]" if key.kind == "text" else ""
        base = {"table": self.name, "column": Placed(self._column(key.column))}
        return statement(module, name, **base, kind=Placed(key.kind), cast=Placed(cast), **parts)

    def read(self, keys: list[str]) -> Iterator[list[tuple[Any, ...]]]:
        """The rows of some keys as they are now, some at a time: key, hash, time, values."""
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
            while rows := cursor.fetchmany(AT_ONCE):
                yield rows


def columns_of(table: str, using: str) -> list[tuple[Any, ...]]:
    """Every column of a table, whose name is quoted: name, type, needs a value, is computed."""
    return fetch(using, statement(__file__, "columns"), {"table": table})


def trim(table: Table, archive: int) -> None:
    """Forget the keys of rows that are gone."""
    fetch(table.using, table.sql(__file__, "trim"), {"archive": archive})


def still_there(table: Table, archive: int) -> bool:
    """Whether some row of an archive is in the database as it was written."""
    text = table.sql(__file__, "still_there", hash=Placed(table.hash))
    with exact(table.using):
        return bool(scalar(table.using, text, {"archive": archive}))


def values_of(rows: list[tuple[Any, ...]]) -> list[Row]:
    """What is written of rows that were read."""
    return [row[3:] for row in rows]
