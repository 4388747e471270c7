"""The rows of an archive that are still in their table as they were written.

An archive is done once none is. Until then its keys are kept, and of rows that could not go their
hashes, for versions are believed for a while only.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from lifecycle.db.connection import Placed, fetch, local_settings, scalar
from purge.archive.formats.base import SETTINGS
from purge.archive.table import Table


@contextmanager
def compared(using: str) -> Iterator[None]:
    """Exact text, as in `exact`, for rows that are compared with those of archives.

    No nested loops: the planner knows no size of either.
    """
    with local_settings(using, **SETTINGS, enable_nestloop="off", jit="off"):
        yield


def still_there(table: Table, archive: int) -> bool:
    """Whether some row of an archive is in the database as it was written."""
    text = table.sql(__file__, "still_there", left=_left(table))
    with compared(table.using):
        return bool(scalar(table.using, text, {"archive": archive}))


def keep_left(table: Table, archive: int) -> None:
    """Keep of an archive only what tells the rows that are left of it."""
    text = table.sql(__file__, "keep_left", left=_left(table), hash=table.hash)
    with compared(table.using):
        fetch(table.using, text, {"archive": archive})


def forget_gone(table: Table, archive: int) -> None:
    """Forget the keys of an archive's rows that are gone from the table."""
    fetch(table.using, table.sql(__file__, "forget_gone"), {"archive": archive})


def _left(table: Table) -> Placed:
    """SQL: those rows, each beside what was written of it."""
    return Placed(table.sql(__file__, "left", believed=table.believed, same=table.same))
