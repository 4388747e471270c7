"""The pending list: rows written singly, each with its event and its agenda entry in one row.

A write of one row that ends in two hours or later costs one narrow row with one index. The
table is a part of the events' table and of the agenda's, so every reader sees what is in it, under
its number. Workers move it to where it belongs once a minute, sooner where many rows are written;
what is due is moved by the batch that looks for it, and what an event settles or renames by whoever
writes that event. So nothing depends on the mover: where it does not run, readers are slower.
"""

import math
import time

from django.db import DatabaseError

from lifecycle.db.connection import Placed, own_transaction, scalar, statement
from lifecycle.db.pieces import most_of, take_fewer
from lifecycle.db.version import mismatch
from lifecycle.logs import Log

MOST = 10_000  # in one transaction
MOVING = "a move of what is pending"

#: In SQL, for whoever reads what is due, policy by policy: the agenda without the pending list,
#: which has no index for that. What is pending ends two hours after it was written or later, so
#: nothing of it can be due unless the first is as old because no worker has moved it.
DUE_AGENDA = Placed("""(
    SELECT event_id, policy, due_at, window_at, count, attempts, tombstone
    FROM ONLY lifecycle_agenda
    UNION ALL
    SELECT event_id, policy, due_at, window_at, count, attempts, tombstone
    FROM lifecycle_pending
    WHERE (SELECT recorded_at FROM lifecycle_pending ORDER BY id LIMIT 1)
        <= (SELECT lifecycle.now_v1()) - interval '2 hours')""")

log = Log("lifecycle")


def move_pending(using: str) -> int:
    """Move all that is pending, some thousands a transaction; returns how many rows.

    Where there are many of a policy, the agenda lists them in sets from then on. What another
    worker is moving is left to it. Nothing where the database is of another version than the code.
    What the database refuses is logged and stays pending: whoever calls goes on with other work.
    What it stops, by a short `statement_timeout`, is moved in smaller pieces.
    """
    return _move(using, math.inf)[0]


def move_for(using: str, seconds: float) -> bool:
    """As `move_pending`, for about so long; whether there is more to move."""
    return _move(using, time.monotonic() + seconds)[1]


def _move(using: str, until: float) -> tuple[int, bool]:
    """How many rows were moved, a piece at least; whether there is more."""
    total, more = 0, not mismatch(using)
    try:
        while more:
            most = most_of(MOVING, using, "", MOST)
            try:
                moved = _move_some(using, most)
            except DatabaseError as error:
                take_fewer(error, MOVING, using, "", most)
                continue
            total, more = total + moved, moved == most
            if time.monotonic() >= until:
                break
    except DatabaseError:
        log("pending_failed", f"{using}: what is pending cannot be moved", database=using)
        more = False
    return total, more


def _move_some(using: str, most: int) -> int:
    with own_transaction(using):
        return int(scalar(using, statement(__file__, "gather"), {"most": most}))
