"""The tables of the matrix, while its tests last."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.keys.tables import Line, tables


@pytest.fixture(scope="module")
def lines(django_db_setup: None, django_db_blocker: Any) -> Iterator[dict[str, Line]]:
    """The lines of the matrix that this server can have, by name."""
    with django_db_blocker.unblock(), tables() as made:
        yield made
