"""What docs/how-to/run-it.md says: a stop in the middle of a batch, an upgrade without a gap."""

import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connections

from lifecycle.install.guards import guard_truncate
from lifecycle.models import PolicyState
from purge.models import Run
from tests.infra import forked
from tests.infra.servers import ROOT, until
from tests.purge.worker.consumer import Consumer, address, ask, endings, psql
from tests.races.gates import closed_gate
from tests.support import session
from tests.zoo.models import Spark

Start = Callable[..., Consumer]
DEPLOY = ROOT / "docs" / "deploy"
SPARK = "INSERT INTO zoo_spark (flash, expires_at) VALUES (true, clock_timestamp())"


def stop_time() -> int:
    """TimeoutStopSec of the unit that is shipped."""
    found = re.search(r"TimeoutStopSec=(\d+)", (DEPLOY / "retention-worker.service").read_text())
    assert found
    return int(found[1])


def sparks(count: int) -> set[str]:
    ask(f"{SPARK.partition(' VALUES')[0]} SELECT true, clock_timestamp()"
        " FROM generate_series(1, %s)", count)  # fmt: skip
    return {str(pk) for pk in Spark.objects.values_list("pk", flat=True)}


@pytest.mark.slow
def test_a_stop_waits_for_the_batch_under_way(consumer: Start) -> None:
    keys = sparks(30)
    with closed_gate("purged") as keeper:
        stopped = consumer()
        until(stopped.is_in_a_batch)
        stopped.process.send_signal(15)
        time.sleep(0.5)  # it must not end meanwhile: there is no event to wait for
        assert not stopped.has_ended()
        assert Spark.objects.count() == 30
        keeper.rollback()
        assert stopped.process.wait(stop_time()) == 0
    gone = endings()
    assert keys - gone.keys() == {str(pk) for pk in Spark.objects.values_list("pk", flat=True)}
    assert gone
    assert not Run.objects.filter(finished_at=None).exists()
    consumer("next")
    until(lambda: not Spark.objects.exists())
    assert endings() == dict.fromkeys(keys, 1)


@pytest.mark.slow
def test_a_stop_while_the_database_goes_takes_the_batch_back(consumer: Start) -> None:
    keys = sparks(30)
    with closed_gate("purged"):
        stopped = consumer()
        until(stopped.is_in_a_batch)
        stopped.process.send_signal(15)
        # As long as it runs: a thread that has not heard of the signal yet begins anew.
        until(lambda: was_cut(stopped), stop_time())
        assert stopped.process.wait() == 0
        assert Spark.objects.count() == 30
        assert endings() == {}
    consumer("next")
    until(lambda: not Spark.objects.exists())
    assert endings() == dict.fromkeys(keys, 1)


def was_cut(worker: Consumer) -> bool:
    """End the sessions of a process; whether it has ended too."""
    psql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        f" WHERE application_name = '{worker.name}'"
    )
    return worker.has_ended()


class Site:
    """The site's requests: a row every few milliseconds, by a connection of its own."""

    def __init__(self) -> None:
        self.written, self.errors = 0, list[Exception]()
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._write, daemon=True)

    def _write(self) -> None:
        try:
            with session(autocommit=True) as own:
                while not self.over.wait(0.005):
                    own.execute(SPARK)
                    self.written += 1
        except Exception as error:
            self.errors.append(error)
        finally:
            connections.close_all()

    def goes_on(self) -> None:
        """Wait until it has written ten rows more."""
        wanted = self.written + 10
        until(lambda: self.written >= wanted or bool(self.errors))
        assert self.errors == []


@contextmanager
def writing() -> Iterator[Site]:
    site = Site()
    site.thread.start()
    try:
        yield site
    finally:
        site.over.set()
        site.thread.join(30)


def migrate(folder: Path) -> None:
    """`manage.py migrate`, as a process of its own."""
    known = {"DJANGO_SETTINGS_MODULE": "tests.settings", "DATABASE_URL": address()}
    log = folder / "migrate.log"
    done = forked.start(
        "manage.py", "migrate", "-v0", cwd=ROOT, env=os.environ | known, out=log
    )  # fmt: skip
    assert done.wait(120) == 0, log.read_text()


OF_OLDER_CODE = (
    "SELECT count(*) FROM pg_proc"
    " WHERE proname LIKE 'pgtrigger_lc%%' AND 'search_path=pg_catalog, public' = ANY (proconfig)"
)


def as_older_code_left_it() -> None:
    """Other functions than this code's, and another declaration of the policy."""
    names = ask(
        "SELECT array_agg(DISTINCT tgfoid::regprocedure::text) FROM pg_trigger"
        " WHERE tgrelid = 'zoo_spark'::regclass AND tgname LIKE 'pgtrigger_lc%%'"
    )
    assert names
    for name in names:
        psql(f"ALTER FUNCTION {name} SET search_path = pg_catalog, public")
    PolicyState.objects.filter(name="flashes").update(fingerprint="of older code")


@pytest.fixture
def flushed_afterwards(consumer: Start) -> Iterator[None]:
    """A `migrate` of another process does not know that this is a test's database."""
    yield
    guard_truncate("default")


@pytest.mark.slow
@pytest.mark.usefixtures("flushed_afterwards")
def test_an_upgrade_without_a_gap(consumer: Start, tmp_path: Path) -> None:
    as_older_code_left_it()
    assert ask(OF_OLDER_CODE) > 0
    with writing() as site:
        old = consumer("old")
        site.goes_on()
        assert old.end() == 0
        site.goes_on()
        migrate(tmp_path)
        assert ask(OF_OLDER_CODE) == 0
        site.goes_on()
        consumer("new")
        until(lambda: bool(endings()))
        site.goes_on()
    assert site.errors == []
    until(lambda: not Spark.objects.exists())
    listed = ask(
        "SELECT count(DISTINCT key) FROM lifecycle_event AS told, lifecycle.keys_v1(told.id) AS key"
        " WHERE kind = 'expiry_scheduled' AND model = 'zoo.spark'"
    )
    assert listed == site.written
    found = endings()
    assert len(found) == site.written > 40
    assert set(found.values()) == {1}


@pytest.mark.parametrize("unit", sorted(DEPLOY.glob("*.service")), ids=lambda path: path.stem)
def test_the_units_are_units(unit: Path, tmp_path: Path) -> None:
    """With programs that are there, in place of those of a site that is not."""
    if not (verifier := shutil.which("systemd-analyze")):
        pytest.skip("systemd-analyze is not installed")
    (program := tmp_path / "program").symlink_to(sys.executable)  # its own path may have a space
    text = re.sub(r"/srv/shop/\.venv/bin/\w+", str(program), unit.read_text(encoding="utf-8"))
    (tmp_path / unit.name).write_text(text)
    done = subprocess.run(
        [verifier, "verify", str(tmp_path / unit.name)], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_each_of_them_runs_the_worker_as_the_process_that_is_stopped() -> None:
    worker = "python manage.py run_huey"
    texts = {path.name: path.read_text(encoding="utf-8") for path in DEPLOY.iterdir()}
    assert f"ExecStart=/srv/shop/.venv/bin/{worker}" in texts["retention-worker.service"]
    assert f"worker: exec {worker}" in texts["Procfile"]
    assert worker in texts["Containerfile"]
    assert re.search(r'^CMD \["gunicorn", .*\]$', texts["Containerfile"], re.MULTILINE)
    assert "STOPSIGNAL SIGTERM" in texts["Containerfile"]
