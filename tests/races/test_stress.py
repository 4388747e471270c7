"""Five writers and two workers for a few seconds; tests/soak has the long form."""

import pytest

from tests.races.stress import stress

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.slow
def test_writers_and_workers_on_the_same_rows() -> None:
    assert stress(seconds=4, seed=20) > 50
