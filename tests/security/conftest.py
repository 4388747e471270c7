from collections.abc import Iterator

import pytest

from tests.purge.worker.conftest import consumer
from tests.security.roles import Roles, roles_of_a_site

__all__ = ["consumer"]


@pytest.fixture
def roles(transactional_db: None) -> Iterator[Roles]:
    """The roles site, reader and stranger in the test database; see `tests.security.roles`."""
    with roles_of_a_site() as roles:
        yield roles
