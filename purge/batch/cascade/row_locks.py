"""Locks on sets of rows that go along, in the order of their keys; no row is read.

No more of them than a batch may hold, or a few: then it is taken back, and begun with fewer rows.
"""

from typing import Any

from django.db import connections

from purge.batch.cascade.python_keys import selected
from purge.batch.cascade.relations import NO_KEYS
from purge.batch.state import Batch
from purge.exceptions import TooMany

COUNT = "SELECT count(*) FROM ({}) AS locked"
KEYS = "SELECT count(*), array_agg(key)::text FROM ({}) AS locked (key)"


class RowLocks:
    """Locks rows for a batch; `room` is how many more of them it may hold, None for any number."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self.room: int | None = None

    def spend(self, count: int) -> None:
        """Take room; raises `TooMany`."""
        if self.room is not None:
            self.room -= count
            if self.room < 0:
                raise TooMany

    def seen(self, rows: Any) -> int:
        """How many rows there are, without a lock."""
        return int(self._fetch(COUNT, self._few(selected(rows)))[0])

    def locked(self, rows: Any, stay: bool = False) -> int:
        """How many rows are locked now; `stay` lets others go on referring to them."""
        return int(self._fetch(COUNT, self._locking(rows, stay))[0])

    def keys(self, rows: Any) -> tuple[int, Any]:
        """How many rows are locked now, and their keys as `key_array` takes them."""
        if not rows.model._meta.is_composite_pk:
            count, keys = self._fetch(KEYS, self._locking(rows))
            return count, keys
        several = list(self._locking(rows))
        return len(several), several

    def _locking(self, rows: Any, stay: bool = False) -> Any:
        # A host may hold a child and wait for its parent, which is ours: we must not wait for it.
        locking, nowait = selected(rows.order_by("pk")), not self.batch.patient
        return self._few(locking.select_for_update(of=("self",), nowait=nowait, no_key=stay))

    def _few(self, rows: Any) -> Any:
        return rows if self.room is None else rows[: self.room + 1]

    def _fetch(self, text: str, rows: Any) -> Any:
        statement, params = rows.query.get_compiler(self.batch.using).as_sql()
        with connections[self.batch.using].cursor() as cursor:
            cursor.execute(text.format(statement), params)
            return cursor.fetchone()


def joined(these: Any, those: Any) -> Any:
    """Two sets of keys, as `key_array` takes them, as one."""
    if NO_KEYS in (these, those):
        return those if these == NO_KEYS else these
    if isinstance(these, list):
        return these + those
    return f"{these[:-1]},{those[1:]}"
