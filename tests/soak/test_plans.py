"""The rest of the 10,000 random schedules between a plan and the end of it."""

import pytest

from tests.purge.plans.schedules import run
from tests.purge.plans.test_schedules import HERE

EACH, ALL = 1_400, 10_000


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("first", range(HERE, ALL, EACH))
def test_no_row_outside_a_plan_ends(first: int) -> None:
    assert run(range(first, min(first + EACH, ALL))) == []
