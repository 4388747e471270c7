"""The events of this ledger that its log does not share with what was published.

Those that were published all the same were in the backup, and not sealed when it was made. All
others were written since the restore: the sealer takes every event that it can see, so what was
in the backup is published wherever anything later is.
"""

from collections.abc import Iterator

from lifecycle.db.connection import fetch, statement
from lifecycle.proof.leaf import Record
from lifecycle.proof.tree import hash_leaf
from lifecycle.sealing.entries import read_entries
from lifecycle.sealing.gaps import from_json
from lifecycle.sealing.log import Log, read_seals
from purge.proof.options import ProofOptions
from purge.recovery.lines import lines_from
from purge.recovery.survey import Survey, survey


def unshared(using: str, log: Log, common: int) -> list[int]:
    """The numbers of the events beyond the first `common` leaves of the log, ascending."""
    ranges = [each for gap in from_json(log.gaps) for each in gap.ranges]
    params = {
        "last": log.last_event, "beyond": read_seals(using, log, common, log.size).events,
        "lows": [low for low, _ in ranges], "highs": [high for _, high in ranges],
    }  # fmt: skip
    return [number for (number,) in fetch(using, statement(__file__, "unshared"), params)]


def published_here(using: str, options: ProofOptions, found: Survey) -> set[int]:
    """The numbers of those among them that were published just so.

    Reads all that is to be put back: where some of it is not there, that is known before anything
    is changed.
    """
    wanted = set(unshared(using, found.log, found.common))
    same = set[int]()
    for lines in lines_from(options, found, found.common):
        some = {line.number: line for line in lines if line.number in wanted}
        made = read_entries(using, {number: line.salt for number, line in some.items()})
        same |= {n for n, entry in made.items() if hash_leaf(entry) == some[n].leaf_hash}
    return same


def missing_events(using: str, options: ProofOptions) -> Iterator[Record]:
    """The published events that this ledger has not, in their order, as the store has them.

    Raises `LifecycleError` where the store has not all of them.
    """
    found = survey(using, options)
    here = published_here(using, options, found)
    for lines in lines_from(options, found, found.common):
        yield from (line.record for line in lines if line.number not in here)
