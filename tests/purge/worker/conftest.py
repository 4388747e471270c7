"""Consumers that end before the test database is emptied."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.purge.worker.consumer import Consumer, ask


@pytest.fixture
def consumer(transactional_db: None, tmp_path: Path) -> Iterator[Callable[..., Consumer]]:
    """Starts consumers; returns once each is ready."""
    started: list[Consumer] = []

    def start(name: str = "consumer", *options: str, **environment: str) -> Consumer:
        started.append(Consumer(name, tmp_path, options, **environment))
        return started[-1].wait_ready()

    ask("DELETE FROM huey_task")
    try:
        yield start
    finally:
        for each in started:
            each.kill()
