"""Ending the rows of windows: everything in a window that is due, by the table's own index.

As any batch: a short transaction that finds rows, locks them, looks at them in a later statement
and acts. Only the finding differs. A sweep goes through its windows batch by batch, in the order of
the rows' ends; where it is, is this process's own: a killed worker's sweep begins anew, and finds
what is left.
"""

from typing import TYPE_CHECKING

from django.db import DEFAULT_DB_ALIAS, transaction

from lifecycle.db.connection import own_transaction
from lifecycle.ledger.windows_due import list_windows, windowed_at
from lifecycle.models import PolicyState
from lifecycle.policy.policy import Policy
from purge.batch import brakes
from purge.batch.lock import lock
from purge.batch.notify import latest_event
from purge.batch.outcome import Outcome
from purge.batch.run import begin, evaluate, record
from purge.batch.state import Batch
from purge.passes.options import SweepPosition, SweepPositions
from purge.sources.windows.entries import ClaimedWindows, take
from purge.sources.windows.rows import WindowRows

if TYPE_CHECKING:
    from purge.passes.options import PassOptions


_places: SweepPositions = {}


def run_batch(policy: Policy, how: "PassOptions", run: int | None, size: int) -> Outcome | None:
    """Look at the next rows of windows that are due, at most `size`; None when nothing is.

    Raises what brakes raise, and then has changed nothing.
    """
    places, at = (how.places if how.dry else _places), (how.using, policy.name)
    with own_transaction(how.using):
        batch = begin(policy, how.using, run, how.dry, how.any_hour)
        taken = take(batch, how.seen or []) if batch else None
        if batch is None or taken is None or not (taken.windows or taken.settled):
            return None
        place = _settle(batch, taken, places.get(at), size, how) if taken.windows else None
        record(batch)
        transaction.set_rollback(how.dry, using=how.using)
    # Only what has committed counts.
    if place:
        places[at] = place
    else:
        places.pop(at, None)
        if how.seen is not None:
            how.seen.extend([*taken.settled, *taken.due])
    return batch.outcome


def find_windows(using: str = DEFAULT_DB_ALIAS) -> None:
    """Put windows on the agenda that have rows past their end, and came past it.

    Such rows were written past the triggers, or committed just after their window was done with.
    """
    for policy in windowed_at(using):
        state = brakes.standing(policy, using, any_hour=True)
        if state in ("", PolicyState.State.OBSERVE):
            list_windows(policy, using, past=True)


def is_under_way(policy: Policy, using: str) -> bool:
    """Whether this process is in the middle of windows of the policy."""
    return (using, policy.name) in _places


def _settle(
    batch: Batch, taken: ClaimedWindows, before: SweepPosition | None, size: int, how: "PassOptions"
) -> SweepPosition | None:
    """One step of the sweep; returns where it stands, None when it is done."""
    if before is None or before.due != taken.due:
        began = latest_event(batch.using)
        before = SweepPosition(taken.due, began)
    batch.most = None if batch.dry else batch.policy.batch_rows
    batch.source = source = WindowRows(batch, taken, SweepPosition(**vars(before)))
    batch.told, batch.collect_keys = {"windows": taken.windows}, how.collect_keys
    found = source.find(size)
    locked = lock(batch, found) if found else None
    if locked and locked.count:
        evaluate(batch, locked)
    is_done = found is None or found.count < size
    if is_done:
        source.close()
    brakes.count_against_cap(batch)
    return None if is_done else source.place
