"""A set of rows of one table, on its way between statements of a batch.

Either the whole set of a ledger event, which then never leaves the server, or keys written out, in
PostgreSQL's own text form of an array: ten thousand of them need not become Python objects only to
go back.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from lifecycle.compiler.keys import Key, subjects_of
from lifecycle.db.connection import Placed, local_settings
from lifecycle.db.sql import array_text


@dataclass(frozen=True)
class Subjects:
    """`event` names the event whose whole set this is; `keys` is an array's text otherwise."""

    key: Key
    count: int
    event: int | None = None
    span: tuple[int, int] | None = None
    keys: str | None = None

    @property
    def params(self) -> dict[str, Any]:
        """Parameters of `where` and `composite`."""
        low, high = self.span or (None, None)
        return {"event": self.event, "keys": self.keys, "low": low, "high": high}

    def where(self, column: str) -> Placed:
        """The condition that a key column names one of these rows; `column` is quoted already."""
        if self.span:
            return Placed(f"{column} >= %(low)s AND {column} < %(high)s")
        cast = f"::{self.key.cast}[]" if self.key.kind == "text" else ""
        if self.keys is None:
            own = f"subjects_{self.key.kind}"  # one of three names of our own
            source = f"SELECT {own} FROM lifecycle_event WHERE id = %(event)s"  # noqa: S608
            return Placed(f"{column} = ANY (({source})::{self.key.kind}[]{cast})")
        return Placed(
            f"{column} = ANY ((SELECT %(keys)s::{self.key.kind}[])::{self.key.kind}[]{cast})"
        )

    def composite(self, ordered: bool = False) -> Placed:
        """The set as a ledger event stores it; NULL for the whole set of `event`, its basis."""
        if self.keys is None:
            return Placed("NULL::lifecycle.subjects")
        row = subjects_of(self.key, f"%(keys)s::{self.key.kind}[]")
        return Placed(row if ordered else f"lifecycle.sorted_v1({row})")

    def whole(self) -> Placed:
        """The set as the ledger's type of one, also where it is that of `event`."""
        if self.keys is not None:
            return self.composite(ordered=True)
        columns = ", ".join(f"subjects_{kind}" for kind in ("bigint", "uuid", "text", "range"))
        source = f"SELECT ROW({columns})::lifecycle.subjects FROM lifecycle_event"  # noqa: S608
        return Placed(f"({source} WHERE id = %(event)s)")

    def narrowed(self, count: int, keys: str | None) -> "Subjects":
        """These rows, or those of them that are written out."""
        return self if keys is None else Subjects(self.key, count, keys=keys)

    def written(self, keys: list[Any]) -> "Subjects":
        """A set of these keys, as the ledger writes them."""
        return replace(self, count=len(keys), event=None, span=None, keys=array_text(keys))


class Passing(NamedTuple):
    """A condition that all rows of a set have to pass, as SQL over their table, with parameters."""

    condition: Placed
    params: dict[str, Any]


@contextmanager
def without_loops(using: str) -> Iterator[None]:
    """No nested loops until the end of the block, in a transaction.

    For joins of sets of which the planner knows no size: it takes them for small. A loop that it
    needs all the same is so dear, before PostgreSQL 18, that it would compile the statement.
    """
    with local_settings(using, enable_nestloop="off", jit="off"):
        yield


@contextmanager
def in_order_of_index(using: str) -> Iterator[None]:
    """No sort and no bitmap scan, so that a LIMIT reads an index in its order; in a transaction.

    A planner that takes few rows for likely reads all of them and sorts.
    """
    with local_settings(using, enable_sort="off", enable_bitmapscan="off", jit="off"):
        yield
