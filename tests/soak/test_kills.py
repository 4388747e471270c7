"""Ten workers that are killed in a batch, one after the other; `make test` kills two."""

import pytest

from tests.purge.worker.conftest import consumer  # noqa: F401
from tests.purge.worker.test_worker import test_nothing_is_lost_by_kills  # noqa: F401


@pytest.fixture
def kills() -> int:
    """More than in `make test`."""
    return 10
