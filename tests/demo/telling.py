"""`manage.py demo` as a process, on a database of its own."""

import atexit
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urlencode

import psycopg
from psycopg import sql

from demo import environment
from tests.infra.servers import ROOT, is_alive, until

WORKER = re.compile(r"run_huey, process (\d+)")
SITE = re.compile(r"http://127\.0\.0\.1:(\d+)/admin/")


def url_of(entry: dict[str, Any], name: str) -> str:
    """A DATABASE_URL for another database on the server of a DATABASES entry."""
    parts = [f"{quote(str(entry.get(part) or ''), safe='')}" for part in ("USER", "PASSWORD")]
    options = {"host": entry.get("HOST"), "port": entry.get("PORT")} | entry.get("OPTIONS", {})
    query = urlencode({key: value for key, value in options.items() if value}, quote_via=quote)
    return f"postgres://{':'.join(parts)}@/{name}?{query}"


@lru_cache
def archives_of(url: str) -> str:
    """A folder for the archives and the log of a database, as new as that is."""
    folder = tempfile.mkdtemp(prefix="demo")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@contextmanager
def own_database(entry: dict[str, Any], name: str) -> Iterator[str]:
    """A database beside that of the entry, made empty and dropped at the end; its URL."""
    identifier = sql.Identifier(name)
    drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(identifier)
    with psycopg.connect(url_of(entry, "postgres"), autocommit=True) as connection:
        connection.execute(drop)
        connection.execute(sql.SQL("CREATE DATABASE {}").format(identifier))
        try:
            yield url_of(entry, name)
        finally:
            connection.execute(drop)


class Telling:
    """The process; its lines are read as they come."""

    def __init__(self, url: str, *arguments: str, **variables: str) -> None:
        names = environment.EXAMPLES.keys() | {"DJANGO_SETTINGS_MODULE"}
        inherited = {name: value for name, value in os.environ.items() if name not in names}
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "demo", *arguments],
            cwd=ROOT,
            env=inherited | {"DATABASE_URL": url, "DEMO_ARCHIVE_DIR": archives_of(url)} | variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        for line in self.process.stdout:
            self.lines.append(line)

    @property
    def output(self) -> str:
        return "".join(self.lines)

    def wait_for(self, text: str, seconds: float = 60) -> None:
        """Until the text is in the output; fails at once when the process ends without it."""
        deadline = time.monotonic() + seconds
        while text not in self.output:
            assert self.process.poll() is None, self.output
            assert time.monotonic() < deadline, self.output
            time.sleep(0.05)

    def end(self, sent: int | None = None, seconds: float = 60) -> int:
        """Send a signal, if any; wait; the exit code."""
        if sent is not None:
            self.process.send_signal(sent)
        code = self.process.wait(seconds)
        self.reader.join(10)
        self.process.stdout.close()
        return code

    @property
    def worker(self) -> int:
        found = WORKER.search(self.output)
        assert found, self.output
        return int(found[1])

    @property
    def port(self) -> int:
        found = SITE.search(self.output)
        assert found, self.output
        return int(found[1])

    def worker_is_gone(self) -> bool:
        return not is_alive(self.worker)

    def clean_up(self) -> None:
        """Leave no process behind, whatever the test found."""
        if self.process.poll() is None:
            self.end(signal.SIGTERM)
        if WORKER.search(self.output):
            until(self.worker_is_gone, 30)
