"""Rows on which a batch fails: whose fault it is, and how one is blocked or tried again."""

from datetime import timedelta
from typing import Any

from django.db import DatabaseError, InterfaceError, OperationalError, ProgrammingError

from lifecycle.db.connection import CONTENDED, sqlstate
from lifecycle.ledger.row_names import named
from purge.back_off import back_off
from purge.batch.state import Batch
from purge.batch.subjects import Subjects
from purge.exceptions import (
    ArchivedBelow,
    HeldBelow,
    HeldMeanwhile,
    NotDeleted,
    PurgeError,
    WrittenBelow,
)

SHORTEST_BLOCK, LONGEST_BLOCK = timedelta(minutes=1), timedelta(days=1)


#: classes of SQLSTATE that no single row is the cause of: the connection, the transaction's state,
#: rights, names that are not there, resources, an operator's intervention, the server itself
OF_ALL_ROWS = frozenset(
    ("08", "25", "28", "2D", "3B", "3D", "3F", "42", "53", "54", "57", "58", "F0", "HV", "XX")
)
OF_A_ROW = (HeldBelow, ArchivedBelow, NotDeleted, WrittenBelow)


def is_of_one_row(error: Exception) -> bool:
    """Whether an error may be the fault of single rows: then the others go on.

    The database's own are judged by SQLSTATE: a trigger may raise whatever code it likes, and the
    driver's classes put those of triggers together with lost connections and wrong statements.
    """
    if is_contended(error):
        return True
    if isinstance(error, DatabaseError | InterfaceError):
        if code := sqlstate(error):
            return code[:2] not in OF_ALL_ROWS
        # Without a code it is not the server's: Django's own ProtectedError, or the driver's.
        return not isinstance(error, OperationalError | ProgrammingError | InterfaceError)
    return not isinstance(error, PurgeError) or isinstance(error, OF_A_ROW)


def is_contended(error: Exception) -> bool:
    """Whether somebody else holds a lock that was wanted."""
    return sqlstate(error) in CONTENDED or isinstance(error, HeldMeanwhile)


def halves(items: list[Any]) -> tuple[list[Any], list[Any]]:
    """Rows that failed together, in two parts: a row that is at fault is found by halving."""
    middle = len(items) // 2
    return items[:middle], items[middle:]


def relist_later(batch: Batch, subjects: Subjects, error: Exception) -> None:
    """Leave rows among which some make trouble to the next batch."""
    if is_contended(error):
        batch.source.relist_locked(subjects)
    else:
        batch.source.relist(subjects, timedelta(0), relisted="slow")


def block(batch: Batch, subject: Subjects, error: Exception) -> None:
    """Record that one row cannot go now, and why; no value of it is recorded."""
    if is_contended(error):
        batch.source.relist_locked(subject)
        return
    attempts = batch.source.attempts
    wait = back_off(SHORTEST_BLOCK, LONGEST_BLOCK, attempts)
    batch.source.relist(subject, wait, kind="blocked", attempts=attempts + 1, **reason(error))
    batch.outcome.blocked += 1


def reason(error: Exception) -> dict[str, Any]:
    """Why, in names: error class, SQLSTATE, constraint, table, the models that refer."""
    found: dict[str, Any] = {"error": type(error).__name__, "sqlstate": sqlstate(error)}
    diagnosis = getattr(error.__cause__, "diag", None)
    if diagnosis:
        found |= {"constraint": diagnosis.constraint_name, "table": diagnosis.table_name}
    for name in ("protected_objects", "restricted_objects", "held", "unarchived"):
        objects = list(getattr(error, name, ()))[:5]
        if objects:
            found["by"] = [named(each) for each in objects]
    return {key: value for key, value in found.items() if value}
