"""The queue, emptied before and after each test of a module that imports `queue`."""

from collections.abc import Iterator

import pytest
from huey.contrib.djhuey import HUEY

from purge.worker import memory


@pytest.fixture(autouse=True)
def queue(transactional_db: None) -> Iterator[None]:
    """The queue, emptied; the pulse as in a new process."""
    memory._memories.clear()
    HUEY.storage.flush_queue()
    yield
    HUEY.storage.flush_queue()
    HUEY.storage.close()
