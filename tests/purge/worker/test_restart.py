"""A server that crashes and recovers under the consumer."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import psycopg
import pytest
from django.conf import settings

from lifecycle import embedded
from tests.infra.servers import ROOT, answers, ask, data_folder, until

pytestmark = pytest.mark.skipif(
    not settings.EMBEDDED_DATABASE, reason="a server given by DATABASE_URL is not ours to crash"
)

INSERT = """
INSERT INTO zoo_spark (flash, expires_at)
SELECT true, clock_timestamp() FROM generate_series(1, %s)
"""

LISTENING = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'listen%'"
LEFT = "SELECT count(*) FROM zoo_spark"
PURGED = """
SELECT {} FROM lifecycle_event AS told, lifecycle.keys_v1(told.id) AS key WHERE kind = 'purged'
"""


@pytest.fixture
def server() -> Iterator[Path]:
    """A server of this test's own, migrated."""
    with data_folder() as path:
        embedded.ensure(path, fsync="off")
        subprocess.run([*manage(), "migrate", "-v0"], cwd=ROOT, env=environment(path), check=True)
        yield path


def manage() -> list[str]:
    return [sys.executable, "-W", "ignore", "manage.py"]


def environment(path: Path) -> dict[str, str]:
    entry = embedded.database(path)
    parts = {"host": entry["HOST"], "port": entry["PORT"], "user": entry["USER"]}
    url = "postgres:///?" + urlencode(parts | {"dbname": entry["NAME"]}, quote_via=quote)
    return os.environ | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "tests.settings"}


def crash(path: Path) -> None:
    """Kill a backend: the server ends all sessions and goes through its recovery."""
    pid = ask(path, "SELECT pid FROM pg_stat_activity WHERE query LIKE 'listen%' LIMIT 1")
    present = f"SELECT count(*) FROM pg_stat_activity WHERE pid = {pid}"
    os.kill(pid, signal.SIGKILL)
    until(lambda: answers(path) and ask_again(path, present) == 0)


def ask_again(path: Path, sql: str) -> Any:
    """The answer, or None while the server is recovering."""
    try:
        return ask(path, sql)
    except psycopg.OperationalError:
        return None


@pytest.mark.slow
def test_consumer_goes_on_after_a_crash_of_the_server(server: Path, tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as log:
        worker = subprocess.Popen(
            [*manage(), "run_huey"], cwd=ROOT, env=environment(server), stdout=log, stderr=log
        )
    try:
        until(lambda: ask(server, LISTENING) == 2)
        for _ in range(3):
            ask(server, INSERT % 300)
            until(lambda: ask(server, LEFT) < 300)
            crash(server)
            until(lambda: ask(server, LEFT) == 0)
            until(lambda: ask(server, LISTENING) == 2)
        assert worker.poll() is None
    finally:
        worker.kill()
        worker.wait()
    assert ask(server, PURGED.format("count(key)")) == 900
    assert ask(server, PURGED.format("count(DISTINCT key)")) == 900
