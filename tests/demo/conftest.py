"""A database of the demonstration's own on the server of the tests."""

from collections.abc import Callable, Iterator

import pytest
from django.conf import settings

from tests.demo.golden import whole_database
from tests.demo.telling import Telling, own_database


@pytest.fixture(scope="session")
def story_url(database_server: None, worker_id: str) -> Iterator[str]:
    """The same for all tests, so that one story comes after another."""
    with own_database(settings.DATABASES["default"], f"test_demo_story_{worker_id}") as url:
        yield url


@pytest.fixture
def tell(story_url: str) -> Iterator[Callable[..., Telling]]:
    """Starts the demonstration; everything it started is gone after the test."""
    started: list[Telling] = []

    def start(*arguments: str, **variables: str) -> Telling:
        started.append(Telling(story_url, *arguments, **variables))
        return started[-1]

    yield start
    for telling in started:
        telling.clean_up()


@pytest.fixture
def nothing_changes() -> Iterator[None]:
    before = whole_database()
    yield
    assert whole_database() == before
