"""A pause of everything, which media obey too."""

from typing import Any

import pytest
from django.db import connection, transaction

from lifecycle.db.connection import own_transaction
from lifecycle.ledger import policy_states as states
from purge.media.batch import begin
from tests.support import Background, wait_until, waiting

pytestmark = pytest.mark.django_db(transaction=True)


def begun() -> Any:
    """A batch of a worker; None where it may not act."""
    with own_transaction("default"):
        return begin("default", None, dry=False)


def is_waiting() -> bool:
    """Whether a session waits for a lock now, not when this transaction first asked."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
    return waiting() > 0


def test_one_that_is_committed_while_a_batch_waits_for_it_counts() -> None:
    assert begun() is not None
    with transaction.atomic():
        states.change_all(states.PAUSE)
        worker = Background(begun)
        # It waits for 300 ms at most, and then leaves the media to the next pulse.
        wait_until(lambda: is_waiting() or not worker.thread.is_alive(), "the batch at the lock")
    assert worker.result() is None
