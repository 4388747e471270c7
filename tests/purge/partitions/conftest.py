"""The table and its policy, for the tests of this folder."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.purge.partitions import tables


@pytest.fixture
def table(transactional_db: None) -> Iterator[None]:
    """Three partitions, two of them past their ends."""
    tables.make(**tables.MONTHS, **tables.LATE)
    yield
    tables.run("DROP TABLE zoo_ping")


@pytest.fixture
def pings(table: None) -> Iterator[Any]:
    """The model of the table, with an enabled policy on it."""
    own = tables.model()
    with tables.declared(own):
        yield own


@pytest.fixture
def policy_with(pings: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Gives the policy other brakes, which are no part of its declaration in the database."""
    from lifecycle.policy.registry import get_policy

    def change(**options: Any) -> None:
        for name, value in options.items():
            monkeypatch.setattr(get_policy("pings"), name, value)

    return change
