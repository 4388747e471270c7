"""One batch of rows on its way into a table, through a temporary one."""

from dataclasses import dataclass
from typing import Any

from django.db import connections
from django.db.models import FileField

from lifecycle.compiler.keys import key_of
from lifecycle.db.connection import Placed, fetch, scalar, set_local, statement
from lifecycle.ledger.holds import hold_keys
from lifecycle.ledger.loaded import record
from purge.archive.formats import Row
from purge.archive.formats.base import SETTINGS
from purge.archive.loading.target import Target, named

REASON = "loaded from an archive"


@dataclass(frozen=True)
class Batch:
    """The steps of a batch, within the caller's transaction."""

    using: str
    target: Target
    model: Any = None

    def begin(self, rows: list[Row]) -> None:
        """Put the rows where they wait; the table is made, where it is not there."""
        set_local(self.using, **SETTINGS)
        if self.target.make:
            fetch(self.using, self.target.make, {})
        fetch(self.using, "DROP TABLE IF EXISTS pg_temp.purge_loading")
        fetch(self.using, self._sql("stage"), {})
        with (
            connections[self.using].cursor() as cursor,
            cursor.copy(self._sql("stage_in").replace("%%", "%")) as copy,
        ):
            for row in rows:
                copy.write_row(row)

    def match(self, filters: dict[str, str]) -> int:
        """Leave the rows that match; how many."""
        if filters:
            pairs = [(f"f{n}", name, value) for n, (name, value) in enumerate(filters.items())]
            matches = " AND ".join(f"{named(name)} = %({key})s" for key, name, _ in pairs)
            text = self._sql("stage_filter", matches=Placed(matches))
            fetch(self.using, text, {key: value for key, _, value in pairs})
        return int(scalar(self.using, "SELECT count(*) FROM pg_temp.purge_loading"))

    def insert(self, advance: bool) -> tuple[list[str], int]:
        """Insert what is not there: the keys, and how many of the rows name a file."""
        if advance and self._kind == "bigint":
            asked = {"table": self.target.name.replace("%%", "%"), "column": self.target.key}
            fetch(self.using, self._sql("advance"), asked)
        keys, files = fetch(self.using, self._sql("insert", media=Placed(self._media)), {})[0]
        fetch(self.using, "SET CONSTRAINTS ALL IMMEDIATE")
        return keys, files

    def left_out(self, loaded: list[str]) -> list[tuple[str, bool]]:
        """The keys that were not loaded, and whether a row with that key is there."""
        return fetch(self.using, self._sql("left_out"), {"loaded": loaded})

    def tell(self, keys: list[str], archive: str) -> None:
        """Tell the ledger, and hold the rows until `lifecycle release --reference ARCHIVE`."""
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
        told = [f"{named(name)} <> ''" for name in names if name in self.target.columns]
        return f"coalesce({' OR '.join(told)}, false)" if told else "false"

    def _sql(self, name: str, **parts: Any) -> str:
        columns = Placed(", ".join(map(named, self.target.columns)))
        parts |= {"table": self.target.name, "key": named(self.target.key), "columns": columns}
        return statement(__file__, name, kind=Placed(self._kind), **parts)
