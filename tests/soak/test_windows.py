"""Two hundred random lives of rows in windows; a failure names its seed."""

import pytest

from tests.purge.sources.windows.test_random import live

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("seed", range(1_000, 1_200))
def test_random_lives_in_windows(seed: int) -> None:
    live(seed)
