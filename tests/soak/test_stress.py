"""The stress of tests/races, long, from several seeds."""

import pytest

from tests.races.stress import stress

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_writers_and_workers_on_the_same_rows(seed: int) -> None:
    assert stress(seconds=30, seed=seed * 100) > 500
