"""Numbers below the highest sealed event that were not there: a transaction may still bring them.

A number is given by the function that writes the event just after, to a transaction that was
under way when the gap was seen, or had just ended. So a gap is closed once none of the transactions
that were under way then is under way any more, and a later look has not found the event.
"""

import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from lifecycle.db.connection import fetch, statement

Range = tuple[int, int]  # both ends belong to it
MOST = 8  # gaps of different moments; beyond, the two oldest are put together


@dataclass(frozen=True)
class Gap:
    """Numbers that were missing at one moment, and the transactions that may bring them."""

    ranges: tuple[Range, ...]
    alive: frozenset[str]

    def without(self, numbers: Iterable[int]) -> "Gap":
        """The gap when some of its numbers have come."""
        come, ranges = sorted(numbers), list[Range]()
        for low, high in self.ranges:
            for number in come[bisect_left(come, low) : bisect_right(come, high)]:
                ranges += [(low, number - 1)] if low < number else []
                low = number + 1
            ranges += [(low, high)] if low <= high else []
        return Gap(tuple(ranges), self.alive)


@dataclass(frozen=True)
class UnderWay:
    """The transactions under way, and whether one is prepared or numbers are kept by sessions."""

    alive: frozenset[str]
    unknown: bool

    def may_bring(self, gap: Gap) -> bool:
        """Whether a transaction of when the gap was seen may still be under way."""
        return self.unknown or bool(gap.alive & self.alive)


def from_json(found: list[dict[str, Any]]) -> list[Gap]:
    """The gaps of a log's row."""
    return [
        Gap(tuple((low, high) for low, high in each["ranges"]), frozenset(each["alive"]))
        for each in found
    ]


def to_json(found: list[Gap]) -> str:
    """Gaps as a log's row has them."""
    return json.dumps([{"ranges": gap.ranges, "alive": sorted(gap.alive)} for gap in found])


def under_way(using: str) -> UnderWay:
    """What is under way now. One that is being prepared is in one of the two answers."""
    alive = fetch(using, statement(__file__, "alive"))
    ((unknown,),) = fetch(using, statement(__file__, "unknown"))
    return UnderWay(frozenset(name for (name,) in alive), bool(unknown))


def missing(last: int, numbers: Sequence[int]) -> tuple[Range, ...]:
    """The numbers after `last` that are not among ascending ones, up to the highest of these."""
    if not numbers or numbers[-1] - last == len(numbers):
        return ()
    return tuple((a + 1, b - 1) for a, b in pairwise((last, *numbers)) if b - a > 1)


def merged(gaps: list[Gap]) -> list[Gap]:
    """The gaps that have numbers, the oldest put together where they are many."""
    some = [gap for gap in gaps if gap.ranges]
    while len(some) > MOST:
        one, other, *later = some
        some = [Gap(one.ranges + other.ranges, one.alive | other.alive), *later]
    return some
