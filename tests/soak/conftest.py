"""All that is here is slow."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The hook is given the tests of other folders too."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.slow)
