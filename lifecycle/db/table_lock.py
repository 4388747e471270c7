"""A strong lock on a table of a site that goes on writing.

Who waits for such a lock waits for every open transaction that has written to the table, and all
later writers queue behind. So the wait is cut short and repeated: they are held up for as long as
one wait takes, at most 2 s, and mostly for 50 ms.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import DatabaseError, transaction
from psycopg import sql

from lifecycle.db.connection import (
    CONTENDED,
    Raw,
    fetch,
    local_settings,
    sqlstate,
    statement,
)
from lifecycle.exceptions import Busy

WAITS = (0.05,) * 20 + (0.2,) * 10 + (0.5, 1.0, 2.0, 2.0, 2.0)  # seconds, one after the other
PAUSE = 0.5  # seconds in between, in which those who queued go on

# What adding a trigger takes, which lets readers go on, and what dropping one takes.
AGAINST_WRITERS, AGAINST_ALL = Raw("SHARE ROW EXCLUSIVE"), Raw("ACCESS EXCLUSIVE")


def locked(using: str, table: Raw, mode: Raw, act: Callable[[], None]) -> None:
    """Run `act` in a transaction of its own that has locked the table; `Busy` where none could.

    What `act` does is done once, or not at all.
    """
    for number, wait in enumerate(WAITS):
        if number:
            time.sleep(PAUSE)
        try:
            with transaction.atomic(using=using), lock_timeout(wait, using):
                fetch(using, statement(__file__, "lock_table", table=table, mode=mode))
                act()
            return
        except DatabaseError as error:
            if sqlstate(error) not in CONTENDED:
                raise
    raise Busy(_who(using, table))


@contextmanager
def lock_timeout(seconds: float, using: str) -> Iterator[None]:
    """No wait for a lock lasts longer, in the transaction under way."""
    with local_settings(using, lock_timeout=f"{int(seconds * 1000)}ms"):
        yield


def qualified(schema: str, table: str) -> Raw:
    """The table's full name, quoted."""
    return Raw(sql.Identifier(schema, table).as_string())


def _who(using: str, table: Raw) -> str:
    found = fetch(using, statement(__file__, "writers_of"), {"table": table})
    if not found:
        return f"{table} is never without a writer"
    pid, program, since = found[0]
    return f"{table} is locked by process {pid} ({program or 'no name'}) since {since}"
