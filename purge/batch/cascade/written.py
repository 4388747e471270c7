"""Whether rows were written since a moment, told by the transactions that wrote them.

What a transaction has written that was through before the moment is as it was then. What one has
written that began later, or was under way, counts as written since.
"""

from typing import Any, NamedTuple

from django.db import connections
from django.db.models import BooleanField
from django.db.models.expressions import RawSQL

# A row has 32 bits of the number of its transaction. Those of rows that were written very long ago
# come again: only numbers that were given since the moment count, of which there are far fewer.
WRITTEN = (
    "mod({row}.xmin::text::bigint - mod(%s::bigint, 4294967296) + 4294967296, 4294967296)"
    " < (SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint - %s)"
    " OR {row}.xmin::text::bigint = ANY (%s::bigint[])"
)


class Epoch(NamedTuple):
    """A moment in the time in which versions of rows can be believed, which has a name.

    since    the number from which on transactions had not begun by then
    running  the numbers of older ones that were under way, their savepoints' too
    """

    name: str
    since: int
    running: tuple[int, ...] = ()


def written(rows: Any, since: Epoch, using: str) -> Any:
    """Those of the rows, a queryset, that were written after a moment, or about then."""
    row = connections[using].ops.quote_name(rows.query.get_initial_alias())
    running = [number % 2**32 for number in since.running]
    given: list[Any] = [since.since, since.since, running]
    text = f"({WRITTEN.format(row=row)})"
    told = RawSQL(text, given, output_field=BooleanField())  # noqa: S611 - a quoted name
    return rows.annotate(lc_written=told).filter(lc_written=True)
