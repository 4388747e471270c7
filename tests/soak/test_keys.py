"""Every type of key under all hostile settings; `make test` takes each type under some of them."""

import pytest

from tests.keys.conftest import lines  # noqa: F401
from tests.keys.tables import Line
from tests.keys.test_matrix import (  # noqa: F401
    admin,
    heard,
    pytestmark,
    test_every_cell_is_right,
)


@pytest.fixture
def taken(lines: dict[str, Line]) -> dict[str, Line]:  # noqa: F811
    """All."""
    return lines
