"""Events that have left the table for the log: whether all that are missing are such, and in time.

A cut must not pass for that. Of each the event `pruned` has the number, it is in the log itself,
and the store has the event; read in full, it has to be as old as that says.
"""

from collections.abc import Sequence
from typing import NamedTuple

from lifecycle.conf import conf
from lifecycle.db.connection import fetch, statement
from lifecycle.exceptions import LifecycleError
from lifecycle.proof.checkpoint import Checkpoint
from purge.proof.bundle import Line
from purge.proof.options import ProofOptions
from purge.proof.prune import ranges_of
from purge.proof.published import read_events
from purge.proof.store import ProofStore


class Missing(NamedTuple):
    """An event that is sealed and not in the table, and its index."""

    number: int
    place: int


class Left(NamedTuple):
    """What is said of such an event: by which other, of before when, when; in microseconds."""

    by: int
    before: int
    said_at: int


def left_of(using: str, missing: Sequence[Missing]) -> dict[int, Left]:
    """By number, of those that an event says have left."""
    if not missing:
        return {}
    params = {"events": [each.number for each in missing]}
    rows = fetch(using, statement(__file__, "left"), params)
    return {number: Left(*rest) for number, *rest in rows}


def check_left(
    using: str,
    options: ProofOptions,
    store: ProofStore,
    head: Checkpoint,
    missing: Sequence[Missing],
    deep: bool,
) -> str:
    """A line about them. Raises `LifecycleError` or `ProofError` for the first that is wrong."""
    left = left_of(using, missing)
    index_of = {each.place: each.number for each in missing}
    for start, end in ranges_of(list(index_of)) if deep else ():
        for event in read_events(store, options.key, head, start, end):
            number = index_of.get(event.leaf_index)
            if number is not None:
                _check_age(number, event, left[number])
    if any(each.place >= head.size for each in missing):
        raise LifecycleError("events have left the table that are not published")
    return f"{head.origin}: {len(missing)} events have left the table for the log"


def _check_age(number: int, event: Line, left: Left) -> None:
    least = int((conf.BACKUP_MAX_AGE or 0) * 1_000_000)
    if int(event.record.recorded_at or 0) >= left.before or left.before > left.said_at - least:
        raise LifecycleError(
            f"event {number} (index {event.leaf_index}) was taken out of the table before its time,"
            f" by event {left.by}"
        )
