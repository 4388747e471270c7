"""The cap of a table that was counted, kept for the run that has counted it.

Where PostgreSQL's statistics say too little, each batch beyond `cap_rows` would count the table
anew, which may take seconds. It is counted further than the batch needs, so that a run counts a few
times. What is kept is of one run, by its number: the next one finds how many rows there are then.
"""

from lifecycle.ledger.caps import cap_of
from purge.batch.state import Batch

AHEAD = 2  # times the rows that have ended, for which the table is counted
KEPT = 64  # runs of which a process keeps a cap

_counted: dict[tuple[str, int], int] = {}  # (database, run) -> the cap by its count


def is_within_cap(batch: Batch, wanted: int) -> bool:
    """Whether so many rows may end in 24 hours; by the statistics, then by a count."""
    return (
        wanted <= batch.policy.cap_rows
        or wanted <= cap_of(batch.policy, batch.using)
        or wanted <= _counted.get(_run(batch), 0)
        or wanted <= _count(batch, wanted)
    )


def _count(batch: Batch, wanted: int) -> int:
    cap = cap_of(batch.policy, batch.using, True, AHEAD * wanted)
    if cap < wanted:  # so many rows may be too many to count in time
        cap = cap_of(batch.policy, batch.using, True, wanted)
    if batch.run:
        _keep(_run(batch), cap)
    return cap


def _keep(run: tuple[str, int], cap: int) -> None:
    _counted[run] = cap
    for old in list(_counted)[:-KEPT]:
        _counted.pop(old, None)


def _run(batch: Batch) -> tuple[str, int]:
    return batch.using, batch.run or 0
