"""Give committed events the next indexes of the log, in the order in which they are seen.

Guarantees: an event that is committed is sealed, once, also one that commits after others with
higher numbers. Waits for no writer and makes none wait: it reads, and writes tables of its own.
One at a time: a second sealer finds the lock taken and leaves.
"""

import os
from typing import NamedTuple

from lifecycle.db.connection import fetch, own_transaction, set_local, statement
from lifecycle.proof.leaf import SALT_SIZE
from lifecycle.proof.tree import hash_leaves
from lifecycle.sealing import gaps
from lifecycle.sealing.entries import array_of, read_entries, read_leaves
from lifecycle.sealing.gaps import Gap
from lifecycle.sealing.log import Log, joined, read_log, try_lock

MOST = 50_000  # events a transaction
MANY = 10_000  # from so many on, parallel workers make the leaves
#: what has PostgreSQL take all the parallel workers that it may
PARALLEL = {
    "parallel_setup_cost": "0", "parallel_tuple_cost": "0", "min_parallel_table_scan_size": "0",
    "min_parallel_index_scan_size": "0",
}  # fmt: skip


class Leaves(NamedTuple):
    """Events in an order; their leaves and their salts, one after the other."""

    numbers: list[int]
    hashes: bytes
    salts: bytes


NONE = Leaves([], b"", b"")


def seal_all(using: str, most: int = MOST) -> int:
    """Seal what is committed now; returns how many events. 0 where another session seals."""
    total = 0
    while done := seal(using, most):
        total += done
    return total


def seal(using: str, most: int = MOST) -> int:
    """Seal some events, in a transaction of its own; returns how many.

    0 where there is none, no log is begun, or another session has it.
    """
    with own_transaction(using):
        if not try_lock(using) or (log := read_log(using)) is None:
            return 0
        return _seal(using, log, most)


def _seal(using: str, log: Log, most: int) -> int:
    """The order of the looks counts: see `lifecycle.sealing.gaps`."""
    before = gaps.under_way(using)
    known = gaps.from_json(log.gaps)
    late = _late(using, known, most)
    full = len(late.numbers) >= most
    known = [gap.without(late.numbers) for gap in known if full or before.may_bring(gap)]
    fresh = NONE if full else _fresh(using, log, most)
    ranges = gaps.missing(log.last_event, fresh.numbers)
    if ranges:
        known.append(Gap(ranges, gaps.under_way(using).alive))
    numbers = late.numbers + fresh.numbers
    both = Leaves(numbers, late.hashes + fresh.hashes, late.salts + fresh.salts)
    if both.numbers or len(known) != len(log.gaps):
        append(using, log, both, gaps.merged(known))
    return len(both.numbers)


def _late(using: str, known: list[Gap], most: int) -> Leaves:
    """The events that have come into the gaps."""
    ranges = [each for gap in known for each in gap.ranges]
    if not ranges:
        return NONE
    params = {"lows": [a for a, _ in ranges], "highs": [b for _, b in ranges], "most": most}
    numbers = [number for (number,) in fetch(using, statement(__file__, "late"), params)]
    salts = {number: os.urandom(SALT_SIZE) for number in numbers}
    entries = read_entries(using, salts)
    hashes = hash_leaves([entries[number] for number in numbers])
    return Leaves(numbers, hashes, b"".join(salts.values()))


def _fresh(using: str, log: Log, most: int) -> Leaves:
    """The events above the highest that was seen."""
    ((low, high),) = fetch(using, statement(__file__, "above"), {"last": log.last_event})
    if low is None:
        return NONE
    count = min(high - low + 1, most)
    if count >= MANY:
        set_local(using, **PARALLEL)
    blob = os.urandom(SALT_SIZE * count)
    numbers, hashes = read_leaves(using, low, blob)
    if len(numbers) == count:
        return Leaves(numbers, hashes, blob)
    places = (SALT_SIZE * (number - low) for number in numbers)
    salts = b"".join([blob[place : place + SALT_SIZE] for place in places])
    return Leaves(numbers, hashes, salts)


def append(using: str, log: Log, leaves: Leaves, known: list[Gap]) -> None:
    """Give events the next indexes, in this order; the gaps are those that are left."""
    frontier = log.frontier()
    frontier.append(leaves.hashes)
    params = {
        "log": log.incarnation, "first": log.size, "events": array_of(leaves.numbers),
        "leaves": leaves.hashes, "salts": leaves.salts, "frontier": joined(frontier.hashes),
        "last": max([log.last_event, *leaves.numbers]), "gaps": gaps.to_json(known),
    }  # fmt: skip
    fetch(using, statement(__file__, "seal"), params)
