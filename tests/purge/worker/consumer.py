"""Real consumers: `manage.py run_huey` as a process of its own, on the test database."""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from django.conf import settings
from django.db import connection

from lifecycle.embedded.location import binaries, place
from tests.infra import forked
from tests.infra.servers import ROOT, until

PARTS = {"USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port", "NAME": "dbname"}


def address(**options: str) -> str:
    """DATABASE_URL of the test database."""
    entry = connection.settings_dict
    given = {name: str(entry[part]) for part, name in PARTS.items() if entry.get(part)}
    return "postgres:///?" + urlencode(
        given | entry.get("OPTIONS", {}) | options,
        quote_via=quote,  # libpq takes a plus sign for one
    )


class Consumer:
    """One `manage.py run_huey`; its sessions carry its name as application_name."""

    ready_sessions = 2
    patience: float = 30  # seconds until it is ready

    def __init__(
        self, name: str, folder: Path, options: tuple[str, ...] = (), **environment: str
    ) -> None:
        self.name, self.log = name, folder / f"{name}.log"
        known = {"DJANGO_SETTINGS_MODULE": "tests.settings"}
        known |= {"DATABASE_URL": address(application_name=name)} | environment
        self.process = forked.start(
            "manage.py", "run_huey", *options, cwd=ROOT, env=os.environ | known, out=self.log
        )

    def wait_ready(self) -> "Consumer":
        """Return once a worker listens to the queue, and the pulse has beaten."""
        until(lambda: self.sessions() >= self.ready_sessions or self.has_ended(), self.patience)
        assert not self.has_ended(), self.log.read_text()
        return self

    def has_ended(self) -> bool:
        return self.process.poll() is not None

    def sessions(self, condition: str = "true") -> int:
        return int(
            ask(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s"
                f" AND datname = current_database() AND ({condition})",
                self.name,
            )
        )

    def is_in_a_batch(self) -> bool:
        """Whether one of its sessions is in a transaction on the rows."""
        # By its locks: of the text of a statement PostgreSQL shows no more than its beginning.
        locks = (
            "SELECT FROM pg_locks WHERE pg_locks.pid = pg_stat_activity.pid"
            " AND relation = 'zoo_spark'::regclass AND mode = 'RowExclusiveLock'"
        )
        return self.sessions(f"xact_start IS NOT NULL AND EXISTS ({locks})") > 0

    def is_caught(self, condition: Callable[[], bool]) -> bool:
        """Stop it where a condition holds; else let it go on."""
        os.killpg(self.process.pid, signal.SIGSTOP)
        if condition():
            return True
        os.killpg(self.process.pid, signal.SIGCONT)
        return False

    def kill(self) -> None:
        """Kill it, and its workers where they are processes: those outlive it."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def end(self) -> int:
        """SIGTERM; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)


def ask(sql: str, *params: Any) -> Any:
    """The first value of a query on the test database."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params or None)
        row = cursor.fetchone() if cursor.description else None
        return row and row[0]


def psql(sql: str, **environment: str) -> str:
    """Run SQL as an administrator does; returns what it prints."""
    found = shutil.which("psql")
    if settings.EMBEDDED_DATABASE:
        found = str(binaries(place(settings.EMBEDDED_DATABASE)) / "psql")
    assert found, "there is no psql"
    done = subprocess.run(
        [found, address(), "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", sql],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def endings(model: str = "zoo.spark") -> dict[str, int]:
    """How many ending events each key has."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT key, count(*) FROM lifecycle_event AS told, lifecycle.keys_v1(told.id) AS key"
            " WHERE kind IN ('purged', 'deleted') AND model = %s GROUP BY key",
            [model],
        )
        return dict(cursor.fetchall())
