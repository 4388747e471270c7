"""The table of an archive's rows, read as exact text: what PostgreSQL gives for each column.

Before a row is deleted it is compared with what was written of it. A row has another version, the
number of the transaction that wrote it, once it is changed; the hash of its values is asked where
the version is another one, or may not be believed: numbers of transactions come again, and a
restored database counts anew.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from django.db import OperationalError, connections, transaction
from psycopg import sql

from lifecycle.compiler.policy_sql import compiled
from lifecycle.db.connection import (
    Placed,
    fetch,
    local_settings,
    scalar,
    sqlstate,
    statement,
)
from lifecycle.db.sql import literal
from lifecycle.policy.fixed_age import age_of
from lifecycle.policy.policy import Policy
from purge.archive.formats import Column, Row
from purge.archive.formats.base import SETTINGS

FETCHED = 100  # rows in memory at a time: wide ones must not fill it
BLOCK = 2**20  # bytes of rows that go on together
TOGETHER, WIDE = 100, 2**20  # rows in a message of PostgreSQL's, and bytes of those stored
TOO_LARGE = ("54000", "53200")  # what PostgreSQL answers where a text has over a gigabyte


class Block(NamedTuple):
    """Rows as lines of text, and how many."""

    text: bytes
    rows: int


@contextmanager
def exact(using: str) -> Iterator[None]:
    """Have PostgreSQL give exact text inside the block; the caller has a transaction open."""
    with local_settings(using, **SETTINGS):
        yield


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
        return [Column(each.name, each.db_type) for each in columns_of(self._quoted, self.using)]

    @property
    def _quoted(self) -> str:
        return sql.Identifier(self.name).as_string()

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

    @cached_property
    def knows_versions(self) -> bool:
        """Whether the version of a row tells it."""
        text = statement(__file__, "knows_versions")
        return bool(scalar(self.using, text, {"table": self._quoted}))

    @cached_property
    def width(self) -> float | None:
        """About how many bytes a row has; None where nobody knows."""
        width = scalar(self.using, statement(__file__, "width"), {"table": self._quoted})
        return None if width is None else float(width)

    def sql(self, module: str, name: str, **parts: Any) -> str:
        """A module's statement with the parts that each statement about this table needs."""
        key = compiled(self.policy).key
        cast = f"::{key.cast}[]" if key.kind == "text" else ""
        column = self._column(key.column)
        base = {"table": self.name, "column": Placed(column)}
        base |= {"own_key": Placed(key.stored(column)), "key_text": Placed(key.text(column))}
        ordered = "::bigint" if key.kind == "bigint" else '::text COLLATE "C"'
        own = key.stored(column) if key.kind == "bigint" else f'{key.text(column)} COLLATE "C"'
        base |= {"kind": Placed(key.kind), "cast": Placed(cast), "ordered": Placed(ordered)}
        base |= {"compared": Placed(own)}
        return statement(module, name, **(base | parts))

    @property
    def epoch(self) -> Placed:
        """SQL: the time in which a version can be believed."""
        name = literal(self._quoted).replace("%", "%%")
        return Placed(statement(__file__, "epoch", quoted=Placed(name)))

    @property
    def believed(self) -> Placed:
        """SQL: whether versions of `lc_part` can be believed now."""
        return Placed(statement(__file__, "believed", epoch=self.epoch))

    @property
    def same(self) -> Placed:
        """SQL: whether a row of the table is `lc_written`."""
        return Placed(self.sql(__file__, "same", hash=self.hash))

    @property
    def rows(self) -> Placed:
        """SQL: whether a row is one of `%(part)s`."""
        return Placed(self.sql(__file__, "rows"))

    def read(self, part: int) -> Iterator[list[Row]]:
        """The rows of a part as they are now, in key order, at most `FETCHED` at a time.

        In a transaction of the caller, with `exact` text.
        """
        values = Placed(", ".join(self._values))
        text = self.sql(__file__, "read", values=values, rows=self.rows)
        with connections[self.using].chunked_cursor() as cursor:
            cursor.execute(text, {"part": part})
            while rows := cursor.fetchmany(FETCHED):
                yield rows

    def copy(self, part: int, line: str) -> Iterator[Block]:
        """The same as a text of each row, SQL, in blocks of whole lines.

        Rows that PostgreSQL cannot give together, for they have more than a gigabyte, come one by
        one.
        """
        given, together = 0, self._together(part)
        try:
            with transaction.atomic(using=self.using):
                for block in self._copied(part, line, 1, together):
                    given += block.rows
                    yield block
        except OperationalError as error:
            if together == 1 or sqlstate(error) not in TOO_LARGE:
                raise
            yield from self._copied(part, line, given + 1, 1)

    def _copied(self, part: int, line: str, first: int, together: int) -> Iterator[Block]:
        text = self.sql(__file__, "copy", line=Placed(line))
        told = {"part": part, "first": first, "step": together}
        ready = text % {name: literal(value) for name, value in told.items()}  # it takes none
        connection = connections[self.using]
        with (
            connection.wrap_database_errors,
            connection.cursor() as cursor,
            cursor.copy(ready) as copy,
        ):
            copy.set_types(["bytea", "int8"])
            yield from _blocks(copy.rows())

    def _together(self, part: int) -> int:
        """How many rows of a part come in one message."""
        sizes = (f"coalesce(pg_column_size({self._column(each.name)}), 0)" for each in self.columns)
        parts = {"rows": self.rows, "size": Placed(" + ".join(sizes))}
        params = {"table": self._quoted, "part": part, "is_heap": self.knows_versions}
        widest = scalar(self.using, self.sql(__file__, "widest", **parts), params)
        return max(1, min(TOGETHER, WIDE // max(int(widest), 1)))

    def column(self, name: str) -> str:
        """A column as SQL, for statements with parameters."""
        return self._column(name)


def _blocks(copied: Iterable[Any]) -> Iterator[Block]:
    found: list[bytes] = []
    size = rows = 0
    for text, count in copied:
        if count:
            found.append(text)
            size, rows = size + len(text), rows + count
        if size >= BLOCK:
            yield Block(_lines(found), rows)
            found, size, rows = [], 0, 0
    if found:
        yield Block(_lines(found), rows)


def _lines(texts: list[bytes]) -> bytes:
    return b"\n".join([*texts, b""])


def columns_of(table: str, using: str) -> list[TableColumn]:
    """Every column of a table, whose name is quoted; none where there is no such table."""
    found = fetch(using, statement(__file__, "columns"), {"table": table})
    return [TableColumn(*row) for row in found]
