"""The ledger's own retention: events that the published log has leave the table when they are old.

Only what is sealed, published and was read back from the store just before, older than `keep` and
than every backup may be, and needed by nothing that is still to happen. `why`, certificates and
`verify --proof` read it from the store. An event, `pruned`, says how many have gone.
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby

from lifecycle.db.connection import fetch, own_transaction, scalar, statement
from lifecycle.exceptions import LifecycleError
from lifecycle.logs import Log as Logger
from lifecycle.proof.checkpoint import Checkpoint
from lifecycle.sealing.log import Log, read_log, read_seals, try_lock
from purge.proof.anew import published_head
from purge.proof.options import ProofOptions
from purge.proof.published import read_events
from purge.proof.ship import Altered, store_of

MOST = 50_000  # events a transaction, more or less
STEP = 5  # pieces of the ledger that are looked at together, of 10,000 events each

log = Logger("purge")

Place = tuple[int, int, int]  # an event's number, its log, its index there


def prune(using: str, options: ProofOptions) -> int:
    """Take out what may go; returns how many events. 0 where `keep` is not set.

    Raises `Altered`, `LifecycleError`, `ProofError`, `Unreachable` for what the store has not as it
    was sealed; that and all that is younger stays.
    """
    if options.keep is None:
        return 0
    before: datetime = scalar(using, "SELECT lifecycle.now_v1()") - options.keep
    steps = [last for (last,) in fetch(using, statement(__file__, "steps"), {"before": before})]
    total = 0
    for upto in _few(using, steps, before):
        total += _prune_upto(using, options, upto, before)
    if total:
        log("pruned", f"{using}: {total} events left the table", database=using, count=total)
    return total


def _few(using: str, steps: list[int], before: datetime) -> list[int]:
    """The last piece alone, where little may go up to there: as it is each hour but the first."""
    params = {"upto": steps[-1] if steps else 0, "before": before}
    count = int(scalar(using, statement(__file__, "count"), params))
    few = steps[-1:] if count <= MOST else [*steps[STEP - 1 : -1 : STEP], steps[-1]]
    return few if count else []


def _prune_upto(using: str, options: ProofOptions, upto: int, before: datetime) -> int:
    """What may go up to a number, all of it at once: so nothing that stays names what has gone."""
    params = {"upto": upto, "before": before}
    found: list[Place] = fetch(using, statement(__file__, "places"), params)
    for number, places in groupby(found, key=lambda each: each[1]):
        known = read_log(using, number)
        if known is None:
            raise LookupError(f"log {number}")
        _read_back(using, options, known, list(places))
    with own_transaction(using):
        if not found or not try_lock(using):
            return 0
        params |= {"events": [each[0] for each in found]}
        return int(scalar(using, statement(__file__, "prune"), params))


def _read_back(using: str, options: ProofOptions, known: Log, places: Sequence[Place]) -> None:
    """Raises unless the store has each as it was sealed, and the table has it so."""
    store, head = store_of(options, known), published_head(options, known)
    if head is None:
        raise LifecycleError(f"{store.title} has no checkpoint of this site")
    for start, end in ranges_of([index for _, _, index in places]):
        _compare(using, options, known, head, start, end)


def _compare(
    using: str, options: ProofOptions, known: Log, head: Checkpoint, start: int, end: int
) -> None:
    sealed = read_seals(using, known, start, end)
    stored = read_events(store_of(options, known), options.key, head, start, end)
    for place, each in enumerate(stored):
        leaf = sealed.leaves[place * 32 : place * 32 + 32]
        if (each.fields["id"], each.leaf_hash) != (str(sealed.events[place]), leaf):
            raise Altered(sealed.events[place])


def ranges_of(indexes: Sequence[int]) -> list[tuple[int, int]]:
    """Ascending indexes as ranges; what is near is read with it."""
    found: list[tuple[int, int]] = []
    for index in sorted(indexes):
        if found and index - found[-1][1] < 1000:
            found[-1] = (found[-1][0], index + 1)
        else:
            found.append((index, index + 1))
    return found
