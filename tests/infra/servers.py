"""Helpers for the tests of the embedded server: processes that use it, and what to ask of it."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from lifecycle import embedded
from lifecycle.embedded.location import place

ROOT = Path(__file__).resolve().parent.parent.parent

HOLD = """
import sys
from lifecycle import embedded
embedded.ensure(sys.argv[1], fsync="off")
print("ready", flush=True)
sys.stdin.read()
"""


@contextmanager
def data_folder(name: str = "postgres") -> Iterator[Path]:
    """A folder for a server, short enough for its socket; all of it is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="ts", dir="/tmp") as base:
        path = Path(base, name)
        try:
            yield path
        finally:
            embedded.release(path)
            until(lambda: not answers(path))
            shutil.rmtree(place(path), ignore_errors=True)


class User:
    """Another process that uses the server until it is told to end, or is killed."""

    def __init__(self, path: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            text=True,
        )

    def wait_ready(self) -> "User":
        assert self.process.stdout.readline() == "ready\n"
        return self

    def end(self) -> None:
        self.process.communicate("", timeout=30)
        assert self.process.returncode == 0

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


def ask(path: Path, sql: str) -> Any:
    """The first value of a query on the server of `path`."""
    entry = embedded.database(path)
    with psycopg.connect(
        host=entry["HOST"], port=entry["PORT"], user=entry["USER"], dbname=entry["NAME"]
    ) as connection:
        cursor = connection.execute(sql)
        return cursor.fetchone()[0] if cursor.description else None


def answers(path: Path) -> bool:
    try:
        return ask(path, "SELECT 1") == 1
    except psycopg.OperationalError:
        return False


def postmaster(path: Path) -> int:
    """The pid of the server's first process."""
    return int((place(path) / "data" / "postmaster.pid").read_text().split()[0])


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    try:
        return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):  # it has ended just now
        return False


def until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait for something another process does; fail when it does not come."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
