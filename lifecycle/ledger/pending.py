"""The pending list: rows written singly, each with its event and its agenda entry in one row.

A write of one row that ends in two hours or later costs one narrow row with one index. The
table is a part of the events' table and of the agenda's, so every reader sees what is in it, under
its number. Workers move it to where it belongs once a minute; what is due is moved by the batch
that looks for it, and what an event settles or renames by whoever writes that event. So nothing
depends on the mover: where it does not run, readers are slower.
"""

from django.db import DatabaseError

from lifecycle.db.connection import own_transaction, scalar, statement
from lifecycle.db.version import mismatch
from lifecycle.logs import Log

MOST = 10_000  # in one transaction

log = Log("lifecycle")


def move_pending(using: str) -> int:
    """Move all that is pending, some thousands a transaction; returns how many rows.

    Where there are many of a policy, the agenda lists them in sets from then on. What another
    worker is moving is left to it. Nothing where the database is of another version than the code.
    What the database refuses is logged and stays pending: whoever calls goes on with other work.
    """
    total, moved = 0, 0 if mismatch(using) else MOST
    try:
        while moved == MOST:
            moved = _move_some(using)
            total += moved
    except DatabaseError:
        log("pending_failed", f"{using}: what is pending cannot be moved", database=using)
    return total


def _move_some(using: str) -> int:
    with own_transaction(using):
        return int(scalar(using, statement(__file__, "gather"), {"most": MOST}))
