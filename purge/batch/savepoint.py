"""A savepoint of a batch's own, that is sent along with other statements.

Set before rows go at once, and released with the statement that comes next: Django's would be two
statements more, sent by themselves, in each batch.
"""

from lifecycle.db.connection import Query, fetch
from purge.batch.state import Batch

SET, RELEASED = Query("SAVEPOINT lifecycle_at_once"), Query("RELEASE SAVEPOINT lifecycle_at_once")
TAKEN_BACK = "ROLLBACK TO SAVEPOINT lifecycle_at_once; RELEASE SAVEPOINT lifecycle_at_once"


def begin(batch: Batch) -> list[Query]:
    """What sets it; to be sent at once, before what may have to be taken back."""
    before = release(batch)
    batch.begun = True
    return [*before, SET]


def release(batch: Batch) -> list[Query]:
    """What keeps that which was done since it was set; nothing where it is not set."""
    was, batch.begun = batch.begun, False
    return [RELEASED] if was else []


def take_back(batch: Batch) -> None:
    """Undo all since it was set; nothing where it is not set."""
    if batch.begun:
        batch.begun = False
        fetch(batch.using, TAKEN_BACK)
