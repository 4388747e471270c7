"""Work that is done in pieces goes on in smaller ones where the server stops a statement.

A site may have a short `statement_timeout` for its database or for the worker's role, or limits of
a transaction. What is stopped by one would be stopped again, for ever: so fewer rows are taken, and
the log says so.
"""

import time
from collections.abc import Iterator

from lifecycle.db.connection import IDLE_TIMEOUT, QUERY_CANCELED, TRANSACTION_TIMEOUT
from lifecycle.logs import Log

FEWER = 10  # times fewer rows
STOPS = (QUERY_CANCELED, IDLE_TIMEOUT, TRANSACTION_TIMEOUT)
KEPT = 600.0  # seconds after which a piece of full size is tried again

log = Log("lifecycle")

Place = tuple[str, str, str]  # what is done, database, policy
_known: dict[Place, tuple[int, float]] = {}  # rows, and until when it is no more


def most_of(what: str, using: str, policy: str, most: int) -> int:
    """How many rows a piece has now; no more than `most`."""
    rows, until = _known.get((what, using, policy), (most, 0.0))
    return min(rows, most) if time.monotonic() < until else most


def _is_too_much(error: BaseException, rows: int) -> bool:
    """Whether fewer rows may go where an error has come of so many."""
    return rows > 1 and any(state in STOPS for state in _states(error))


def _states(error: BaseException | None) -> Iterator[str | None]:
    """PostgreSQL's code of an error, and of those that were being handled when it came: of a
    session that has ended, the last one is only that it is closed."""
    while error is not None:
        yield getattr(error, "sqlstate", None)
        error = error.__context__


def take_fewer(error: Exception, what: str, using: str, policy: str, rows: int) -> None:
    """Have the next piece be smaller than one of `rows`, which the server has stopped; logged.

    Raises the error again where it is another one, or a single row is too much.
    """
    if not _is_too_much(error, rows):
        raise error
    fewer, whose = max(rows // FEWER, 1), policy or using
    _known[what, using, policy] = fewer, time.monotonic() + KEPT
    text = f"{whose}: {what} of {rows} rows was stopped by the server, as by a short timeout"
    log("stopped", f"{text}: {fewer} at a time", policy=policy, database=using, count=fewer)


def forget() -> None:
    """Begin with full size again."""
    _known.clear()
