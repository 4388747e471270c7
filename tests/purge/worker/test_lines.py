"""Lines to the database that are cut in a COMMIT, or die without a word."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from purge.models import Run
from tests.infra.servers import until
from tests.purge.worker.consumer import Consumer, address, endings
from tests.purge.worker.proxy import Proxy
from tests.zoo.models import Spark

Start = Callable[..., Consumer]


@pytest.fixture
def proxy(transactional_db: None) -> Iterator[Proxy]:
    started = Proxy(b"zoo_spark")
    yield started
    started.close()


def through(proxy: Proxy, name: str) -> dict[str, str]:
    """The environment of a consumer that reaches the database through the proxy."""
    plain = {"sslmode": "disable", "gssencmode": "disable"}
    line = {"host": "127.0.0.1", "port": str(proxy.port), "application_name": name}
    return {"DATABASE_URL": address(**plain, **line)}


@pytest.mark.slow
def test_commit_that_failed_may_have_committed(consumer: Start, proxy: Proxy) -> None:
    """What the worker did is settled with it: who comes again finds nothing left of it to do."""
    due = timezone.now() - timedelta(seconds=5)
    made = Spark.objects.bulk_create([Spark(flash=True, expires_at=due) for _ in range(100)])
    proxy.cuts = 2
    cut = consumer("cut", **through(proxy, "cut"))
    until(lambda: not Spark.objects.exists(), 60)
    assert proxy.done == 2
    assert endings() == {str(each.pk): 1 for each in made}
    assert sum(Run.objects.values_list("purged", flat=True)) == 100
    until(lambda: Run.objects.filter(error="OperationalError", purged__gt=0).exists(), 30)
    assert not cut.has_ended()


TCP, ESTABLISHED, KEEPALIVE, HUNDREDTHS = Path("/proc/net/tcp"), "01", "02", 100


@pytest.mark.slow
@pytest.mark.skipif(not TCP.exists(), reason="the system does not show its timers")
def test_connections_notice_that_the_server_is_gone(consumer: Start, proxy: Proxy) -> None:
    consumer("kept", **through(proxy, "kept"))
    until(lambda: {kind for kind, _ in timers(proxy.port)} == {KEEPALIVE})
    assert len(timers(proxy.port)) >= 2
    assert max(left for _, left in timers(proxy.port)) <= 60


def timers(port: int) -> list[tuple[str, float]]:
    """What the system waits for on open connections to a port, and for how many seconds yet."""
    lines = [line.split() for line in TCP.read_text().splitlines()[1:]]
    found = [each[5].split(":") for each in lines if _is_open(each, port)]
    return [(kind, int(left, 16) / HUNDREDTHS) for kind, left in found]


def _is_open(line: list[str], port: int) -> bool:
    # A closed one is listed for a minute more.
    return line[2].endswith(f":{port:04X}") and line[3] == ESTABLISHED
