"""A site with more than one server.

Each is there for a module, before the test runner looks which databases there are.
"""

from collections.abc import Iterator

import pytest

from tests.places.servers import Replica, alias, bouncer, replica, second_database
from tests.purge.worker.conftest import consumer

__all__ = ["consumer"]


@pytest.fixture(scope="module")
def pooled(django_db_setup: None) -> Iterator[str]:
    """The test database through a pooler that has a single session for all its clients."""
    with bouncer(size=1) as entry, alias("pooled", **entry) as name:
        yield name


@pytest.fixture(scope="module")
def stale(django_db_setup: None) -> Iterator[Replica]:
    """A replica that is behind, as the alias `replica`."""
    with replica() as server, alias("replica", **server.entry):
        yield server


@pytest.fixture(scope="module")
def second(django_db_setup: None) -> Iterator[str]:
    """A second database with the same tables."""
    with second_database() as entry, alias("second", own=True, **entry) as name:
        yield name
