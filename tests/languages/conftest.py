"""A request leaves its language active in the thread that has served it."""

from collections.abc import Iterator

import pytest
from django.utils.translation import deactivate

from tests.lifecycle.admin.conftest import browser as browser


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    deactivate()
