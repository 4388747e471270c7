"""What is left of a gap, against the definition."""

import random

import pytest

from lifecycle.sealing.gaps import Gap

ALIVE = frozenset({"1/2"})


@pytest.mark.parametrize("seed", range(200))
def test_numbers_that_have_come_are_gap_no_more(seed: int) -> None:
    chance = random.Random(seed)
    ends = sorted(chance.sample(range(40), 8))
    ranges = tuple((ends[at], ends[at + 1] - 1) for at in range(0, 8, 2))
    come = [chance.randrange(40) for _ in range(chance.randrange(12))]
    left = Gap(ranges, ALIVE).without(come)
    missing = {n for low, high in ranges for n in range(low, high + 1)} - {*come}
    assert [n for low, high in left.ranges for n in range(low, high + 1)] == sorted(missing)
    assert all(low <= high for low, high in left.ranges)
    assert left.alive == ALIVE


def test_many_that_come_into_many_gaps_cost_no_more_than_they_are() -> None:
    """A range each, as of transactions that were all under way: not each against each."""
    ranges = tuple((2 * n, 2 * n) for n in range(20_000))
    left = Gap(ranges, ALIVE).without(range(0, 40_000, 4))
    assert left.ranges == tuple((n, n) for n in range(2, 40_000, 4))
