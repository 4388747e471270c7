"""Every tree of every `on_delete` for everybody who may listen; `make test` takes some trees."""

import pytest

from tests.purge.batch.cascades.test_matrix import (  # noqa: F401
    djangos,
    pytestmark,
    receivers,
    test_nothing_held_goes,
    test_what_goes_stays_and_is_refused_is_what_django_says,
)


@pytest.fixture
def trees() -> None:
    """All."""
