"""One batch of rows on its way into a table, through a temporary one."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import connections
from django.db.models import FileField

from lifecycle.compiler.keys import key_of
from lifecycle.db.connection import Placed, fetch, scalar, set_local, statement
from lifecycle.exceptions import LifecycleError
from lifecycle.ledger.holds import hold_keys
from lifecycle.ledger.loaded import record
from purge.archive.formats import Row
from purge.archive.formats.base import SETTINGS
from purge.archive.loading.target import Target, is_made_here, is_there, quoted

REASON = "loaded from an archive"


class LeftOut(NamedTuple):
    """The key of a row that was not loaded, and whether the table has a row with that key."""

    key: str
    is_there: bool


@dataclass(frozen=True)
class LoadBatch:
    """The steps of a batch, within the caller's transaction."""

    using: str
    target: Target
    model: Any = None

    def begin(self, rows: list[Row]) -> None:
        """Copy the rows into a temporary table; the target is made where it is not there."""
        set_local(self.using, **SETTINGS)
        if self.target.create_sql:
            self._make()
        fetch(self.using, "DROP TABLE IF EXISTS pg_temp.purge_loading")
        fetch(self.using, self._sql("stage"), {})
        with (
            connections[self.using].cursor() as cursor,
            cursor.copy(self._sql("stage_in").replace("%%", "%")) as copy,
        ):
            for row in rows:
                copy.write_row(row)

    def _make(self) -> None:
        """Somebody else may have made a table of that name since it was looked for."""
        if not is_there(self.target.name, self.using):
            fetch(self.using, self.target.create_sql, {})
            fetch(self.using, self.target.mark_sql, {})
        elif not is_made_here(self.target.name, self.using):
            raise LifecycleError(f"{self.target.name} is there already, and no load has made it.")

    def keep_matching(self, filters: dict[str, str]) -> int:
        """Drop the rows that do not match; returns how many are left."""
        if filters:
            pairs = [(f"f{n}", name, value) for n, (name, value) in enumerate(filters.items())]
            matches = " AND ".join(f"{quoted(name)} = %({key})s" for key, name, _ in pairs)
            text = self._sql("stage_filter", matches=Placed(matches))
            fetch(self.using, text, {key: value for key, _, value in pairs})
        return int(scalar(self.using, "SELECT count(*) FROM pg_temp.purge_loading"))

    def insert(self, advance: bool) -> tuple[list[str], int]:
        """Insert rows that are not there: their keys, and how many of them name a file."""
        if advance and self._kind == "bigint":
            params = {"table": self.target.name.replace("%%", "%"), "column": self.target.key}
            fetch(self.using, self._sql("advance"), params)
        keys, files = fetch(self.using, self._sql("insert", media=Placed(self._media)), {})[0]
        fetch(self.using, "SET CONSTRAINTS ALL IMMEDIATE")
        return keys, files

    def altered(self, loaded: list[str]) -> tuple[int, set[str]]:
        """How many rows are not as they were written, and by which columns: a trigger did that."""
        names = self.target.columns
        tests = [
            f"own.{column}::text IS DISTINCT FROM loading.{column}::text"
            for column in map(quoted, names)
        ]
        counts = ", ".join(f"count(*) FILTER (WHERE {test})" for test in tests)
        parts = {"differs": Placed(counts), "other": Placed(" OR ".join(tests))}
        there, other, *each = fetch(self.using, self._sql("compare", **parts), {"loaded": loaded})[
            0
        ]
        columns = {name for name, count in zip(names, each, strict=True) if count}
        moved = len(loaded) - there  # the trigger gave them other keys
        return other + moved, columns | ({self.target.key} if moved else set())

    def left_out(self, loaded: list[str]) -> list[LeftOut]:
        """The rows that match and were not loaded."""
        found = fetch(self.using, self._sql("left_out"), {"loaded": loaded})
        return [LeftOut(*row) for row in found]

    def record_and_hold(self, keys: list[str], archive: str) -> None:
        """Write `loaded`, and hold the rows until `lifecycle release --reference ARCHIVE`."""
        if self.model and keys:
            fetch(self.using, self._sql("close"), {"archive": archive})
            record(self.model, keys, self.using, archive)
            hold_keys(self.model, keys, self.using, REASON, archive)

    @property
    def _kind(self) -> str:
        return key_of(self.model).kind if self.model else "text"

    @property
    def _media(self) -> str:
        fields = self.model._meta.concrete_fields if self.model else ()
        names = [each.column for each in fields if isinstance(each, FileField)]
        named = [f"{quoted(name)} <> ''" for name in names if name in self.target.columns]
        return f"coalesce({' OR '.join(named)}, false)" if named else "false"

    def _sql(self, name: str, **parts: Any) -> str:
        columns = Placed(", ".join(map(quoted, self.target.columns)))
        parts |= {"table": self.target.name, "key": quoted(self.target.key), "columns": columns}
        parts |= {"key_text": self._text(parts["key"])}
        parts |= {"loading_text": self._text(f"loading.{parts['key']}")}
        return statement(__file__, name, **parts)

    def _text(self, key: str) -> Placed:
        """SQL: a key as the ledger writes it."""
        return Placed(key_of(self.model).text(key) if self.model else f"{key}::text")
