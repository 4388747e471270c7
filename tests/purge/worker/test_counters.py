"""Counters over several workers, one of them killed, and their restarts; a port of their own."""

import os
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families as parse_text

from lifecycle.metrics.read import read
from tests.infra import forked
from tests.infra.servers import ROOT, until
from tests.purge.worker.consumer import Consumer, address, ask, endings
from tests.races.gates import closed_gate
from tests.zoo.models import Spark

Start = Callable[..., Consumer]


def purged() -> float:
    """What a scrape says of this policy; from a process that has ended none of its rows."""
    found = [s.value for s in read("default")
             if (s.measured, s.name, s.more) == ("rows", "flashes", "purged")]  # fmt: skip
    return found[0]


def sparks(count: int) -> None:
    ask("INSERT INTO zoo_spark (flash, expires_at)"
        " SELECT true, clock_timestamp() FROM generate_series(1, %s)", count)  # fmt: skip


@pytest.mark.slow
def test_counters_of_workers_that_come_and_go(consumer: Start) -> None:
    seen = [purged()]
    sparks(100)
    with closed_gate("purged"):
        killed = consumer("killed")
        until(killed.is_in_a_batch)
        killed.kill()
        seen.append(purged())
    first, other = consumer("first"), consumer("other")
    sparks(600)
    until(lambda: not Spark.objects.exists(), 90)
    assert (first.end(), other.end()) == (0, 0)
    seen.append(purged())
    consumer("next")
    sparks(40)
    until(lambda: not Spark.objects.exists())
    until(lambda: purged() == 740)
    assert seen == [0, 0, 700]
    assert len(endings()) == 740


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_metrics_on_a_port_of_their_own(tmp_path: Path) -> None:
    known = {"DJANGO_SETTINGS_MODULE": "tests.settings", "DATABASE_URL": address()}
    out = tmp_path / "out"
    command = ("manage.py", "lifecycle", "metrics", "--port")
    served = forked.start(*command, "0", cwd=ROOT, env=os.environ | known, out=out)
    until(lambda: (out.exists() and "/metrics" in out.read_text()) or served.poll() is not None)
    where = out.read_text().split(" at ")[1].strip()
    assert where.startswith("http://127.0.0.1:")
    with urllib.request.urlopen(where, timeout=20) as answer:
        found = {each.name: each for each in parse_text(answer.read().decode())}
    assert [s.value for s in found["lifecycle_up"].samples] == [1]
    port = where.rpartition(":")[2].partition("/")[0]
    said = tmp_path / "refused"
    refused = forked.start(*command, port, cwd=ROOT, env=os.environ | known, out=said)
    assert refused.wait(60) == 1
    assert "cannot be served: Address already in use" in said.read_text()
    served.send_signal(15)
    assert served.wait(30) == 0
