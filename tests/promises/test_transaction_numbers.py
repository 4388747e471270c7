"""Which of a row and an event was written first, by numbers of which a row keeps the last 32 bits.

The model has whole numbers: whatever a column shows of them, nothing is taken for older that is
younger, and whatever is older and cannot be anything else is found.
"""

import random

import pytest
from django.db import transaction

from lifecycle.db.connection import fetch
from lifecycle.ledger import resurrected

LAP, MARKED = 2**32, 2**31  # numbers begin anew; from then on events have the whole one
SHOWN = ("row", "xmin", "transaction", "next")
LISTS = ", ".join(f"%({name})s::bigint[]" for name in SHOWN)


def older(cases: list[tuple[int, int | None, int | None, int]]) -> list[bool]:
    """The statement's answers: a row's column, an event's, its detail, the next number."""
    names = {"row": "lc_row", "xmin": "lc_xmin", "transaction": "lc_whole", "next": "lc_next"}
    text = resurrected.older("lc_row", {name: names[name] for name in [*names][1:]})
    rows = f"unnest({LISTS}) AS lc_case ({', '.join(names.values())})"
    params = dict(zip(SHOWN, map(list, zip(*cases, strict=True)), strict=True))
    with transaction.atomic():
        return [one for (one,) in fetch("default", f"SELECT {text} FROM {rows}", params)]


def shown(row: int, event: int, next_: int, saved: int = 0) -> tuple[int, int, int | None, int]:
    """What columns have of whole numbers; the event is of a savepoint, `saved` later."""
    whole = event if event >= MARKED else None
    at = event + saved if whole else event
    return row % LAP, at % LAP, whole, next_


#: row, event, next -> whether the row is known to be older
KNOWN = {
    (1_000, 2_000, 3_000): True,
    (2_500, 2_000, 3_000): False,
    (2_000, 2_000, 3_000): False,
    (MARKED - 5, MARKED + 5, MARKED + 9): True,
    (MARKED + 7, MARKED + 5, MARKED + 9): False,
    (LAP - 5, LAP + 50, LAP + 90): True,  # 1000 and 0003 before and after the lap
    (LAP + 60, LAP - 5, LAP + 90): False,
    (3_000_000_000, 3_100_000_000, LAP + 2_000_000_000): True,  # both frozen long ago
    (3_200_000_000, 3_100_000_000, LAP + 2_000_000_000): False,
    (2_500, LAP + 2_000, LAP + 3_000): False,  # may be of this lap, and so younger
    (LAP - 1_000, LAP + 2_000, LAP + 3_000): True,
    (1_000, 2_000, LAP + 3_000): False,  # a lap after the event, nothing is certain
    (2_500, 2_000, LAP + 3_000): False,
    (2, 5 * LAP, 5 * LAP + 9): True,  # the number of rows that were frozen by old servers
}


@pytest.mark.django_db
def test_numbers_around_a_lap() -> None:
    cases = [shown(*case) for case in KNOWN]
    assert dict(zip(KNOWN, older(cases), strict=True)) == KNOWN
    saved = [shown(*case, saved=1) for case in KNOWN]
    assert dict(zip(KNOWN, older(saved), strict=True)) == KNOWN


@pytest.mark.django_db
def test_no_younger_row_is_ever_taken_for_an_older_one() -> None:
    chance = random.Random(13)  # numbers that can be had again
    spread = [10, 2**20, MARKED, LAP, 3 * LAP]
    cases = []
    for _ in range(20_000):
        event = chance.randrange(3, 4 * LAP)
        next_ = event + 1 + chance.randrange(chance.choice(spread))
        row = max(3, min(next_ - 1, event + chance.randrange(-(b := chance.choice(spread)), b)))
        cases.append((row, event, next_))
    told = older([shown(*case) for case in cases])
    assert not [case for case, one in zip(cases, told, strict=True) if one and case[0] >= case[1]]
    near = [
        (case, one) for case, one in zip(cases, told, strict=True)
        if case[0] < case[1] and case[2] - case[0] < LAP - 2**25
    ]  # fmt: skip
    assert len(near) > 2_000
    assert all(one for _, one in near), "nothing that is certain is hidden"


@pytest.mark.django_db
def test_of_a_copied_event_nothing_is_known() -> None:
    copied = [(5, None, None, 90), (5, 7_000, MARKED + 5, MARKED + 9)]
    assert older(copied) == [False, False]
