"""The queue in the database or in Redis: two consumers on it, and what becomes of a lost one."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from lifecycle.models import AgendaEntry, Event
from tests.infra.servers import until
from tests.places.servers import program, redis
from tests.purge.worker.consumer import Consumer, ask, endings
from tests.zoo.models import Spark

Start = Callable[..., Consumer]
SECOND = timedelta(seconds=1)
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=["postgres", "redis"])
def queue(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dict[str, str]]:
    """What a consumer has to know of the queue."""
    if request.param == "postgres":
        yield {}
        return
    monkeypatch.setattr(Consumer, "ready_sessions", 1)  # no worker listens in the database
    with redis(tmp_path) as address:
        yield {"REDIS_URL": address}


def sparks(count: int, step: timedelta = timedelta(0)) -> dict[str, int]:
    """Rows with a grace and without, that end from now on; the endings wanted of them."""
    start = timezone.now() + SECOND
    made = [Spark(flash=i % 2 == 0, expires_at=start + i * step) for i in range(count)]
    return {str(row.pk): 1 for row in Spark.objects.bulk_create(made)}


@pytest.mark.slow
def test_two_consumers_do_each_row_once(consumer: Start, queue: dict[str, str]) -> None:
    stays = Spark.objects.create(expires_at=timezone.now() + timedelta(hours=1))
    before = ask("SELECT last_value FROM huey_task_id_seq")
    wanted = sparks(400, step=SECOND / 200)
    consumer("one", **queue), consumer("two", **queue)
    until(lambda: Spark.objects.count() == 1, 60)
    assert endings() == wanted
    tombstones = Event.objects.filter(kind="tombstoned")
    assert sum(tombstone.count for tombstone in tombstones) == 200
    assert Spark.objects.get() == stays
    assert bool(queue) == (ask("SELECT last_value FROM huey_task_id_seq") == before)


class Kept:
    """A Redis server that is killed and started again at the same address."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._running: Any = None

    def start(self) -> str:
        self._running = redis(self.path)
        return str(self._running.__enter__())

    def kill(self) -> None:
        self._running.__exit__(None, None, None)


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kept]:
    program("redis-server")
    monkeypatch.setattr(Consumer, "ready_sessions", 1)
    server = Kept(tmp_path)
    yield server
    server.kill()


@pytest.mark.slow
def test_redis_that_is_flushed_and_killed_loses_nothing(consumer: Start, kept: Kept) -> None:
    from redis import Redis

    address = kept.start()
    working = consumer("redis", REDIS_URL=address)
    wanted = sparks(300, step=SECOND / 50)
    for _ in range(20):  # in the midst of it
        gone = len(endings())
        Redis.from_url(address).flushall()
        until(lambda: len(endings()) > gone or not Spark.objects.exists(), 20)  # noqa: B023
        if gone > 100:
            break
    kept.kill()
    wanted |= sparks(50)
    until(lambda: AgendaEntry.objects.filter(due_at__lt=timezone.now()).exists(), 20)
    assert kept.start() == address
    until(lambda: not Spark.objects.exists(), 60)
    assert endings() == wanted
    assert not working.has_ended()
