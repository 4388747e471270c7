"""The ledger's own retention: events that the published log has leave the table when they are old.

Only what is sealed, published and was read back from the store just before, older than `keep` and
than every backup may be, and needed by nothing that is still to happen. `why`, certificates and
`verify --proof` read it from the store. An event, `pruned`, says how many have gone.
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from lifecycle.db.connection import fetch, own_transaction, scalar, statement
from lifecycle.exceptions import LifecycleError
from lifecycle.logs import Log as Logger
from lifecycle.proof.checkpoint import Checkpoint
from lifecycle.sealing.entries import array_of
from lifecycle.sealing.log import Log, read_log, read_seals, try_lock
from purge.outbox.backlog import oldest
from purge.proof.anew import published_head
from purge.proof.options import ProofOptions
from purge.proof.published import read_events
from purge.proof.ship import Altered, store_of

MOST = 50_000  # events a transaction; more only where one event has settled more

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
    before = min(before, oldest(using) or before)  # subscribers are told the keys of its events
    first, last = fetch(using, statement(__file__, "span"), {"before": before})[0]
    total = _by_steps(using, options, before, first, last) if first else 0
    if total:
        log("pruned", f"{using}: {total} events left the table", database=using, count=total)
    return total


def _by_steps(using: str, options: ProofOptions, before: datetime, first: int, last: int) -> int:
    """From the oldest on, up to the last number. Each look reads what is left up to there: at first
    all of it, for little may go each hour but the first; narrower where that is more than a
    transaction should take, and wider again."""
    total, done, width = 0, first - 1, last - first + 1
    while done < last:
        params = {"upto": min(done + width, last), "before": before}
        limit = {"limit": MOST + 1 if width > 1 else None}
        found: list[Place] = fetch(using, statement(__file__, "places"), params | limit)
        if len(found) > MOST and width > 1:
            width = max(width // 2, 1)
            continue
        total += _take_out(using, options, found, params)
        done += width
        width = width * 2 if len(found) < MOST // 2 else width
    return total


def _take_out(using: str, options: ProofOptions, found: list[Place], params: dict[str, Any]) -> int:
    """What may go up to a number, all of it at once: so nothing that stays names what has gone."""
    for number, places in groupby(found, key=lambda each: each[1]):
        known = read_log(using, number)
        if known is None:
            raise LookupError(f"log {number}")
        _read_back(using, options, known, list(places))
    with own_transaction(using):
        if not found or not try_lock(using):
            return 0
        going = params | {"events": array_of(each[0] for each in found)}
        return int(scalar(using, statement(__file__, "prune"), going))


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
        if (each.record.id, each.leaf_hash) != (str(sealed.events[place]), leaf):
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
