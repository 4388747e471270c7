"""One browser for all tests of a session."""

from collections.abc import Iterator

import pytest

from tests.lifecycle.admin.visiting import Browsing


@pytest.fixture(scope="session")
def browser() -> Iterator[Browsing]:
    """Begun when it is first asked for a page."""
    browsing = Browsing()
    yield browsing
    browsing.close()
