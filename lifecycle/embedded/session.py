"""One process's use of the embedded server: the lock it holds, and how it gets one running.

Three locks, all flock, so that the kernel drops them however a process ends:
`users`   shared by every user; the keeper waits to have it alone, then stops the server
`start`   held while one process looks for the server and starts it
`server`  held by the keeper and inherited by PostgreSQL itself: free means that no server runs
"""

import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from psycopg import pq
from psycopg.conninfo import make_conninfo

from lifecycle.embedded import keeper
from lifecycle.embedded.location import (
    NAME,
    PORT,
    USER,
    binaries,
    make_home,
)
from lifecycle.embedded.owner import choose
from lifecycle.exceptions import EmbeddedError

START_SECONDS = 60.0
STOP_SECONDS = 10.0
POLL_SECONDS = 0.02
TAKEN_UP_POLLS = 10


class Session:
    """This process's hold on the server in `home`; use it through `ensure` and `release`."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.process = os.getpid()
        self.keeper: subprocess.Popen[bytes] | None = None
        make_home(home)
        # Waits here while the keeper is stopping the server: it has the lock alone.
        self.users = _locked(home / "users", fcntl.LOCK_SH)

    def start(self, options: Mapping[str, str | int]) -> None:
        """Return once the server answers, started by us if need be."""
        start = _locked(self.home / "start", fcntl.LOCK_EX)
        try:
            while not self._answers():
                if not self._is_locked("server", fcntl.LOCK_EX):
                    self._start(options)
                    return
                # One that recovers from a crash of a process of its will answer again; one that
                # is stopping lets go of the lock when no process of it is left.
                time.sleep(POLL_SECONDS)
        finally:
            os.close(start)

    def close(self) -> None:
        """Let go; wait for the server to stop if we were its last user."""
        if self.process != os.getpid():
            # A fork shares its parent's lock: to convert it here would take it from the parent.
            return
        last = _try_lock(self.users, fcntl.LOCK_EX)
        os.close(self.users)
        if last:
            self._await_stop()
        self._forget_keeper()

    def _answers(self) -> bool:
        """Whether the server takes connections: what pg_isready asks, needing no free slot."""
        where = make_conninfo(host=str(self.home / "socket"), port=PORT, connect_timeout=5)
        return pq.PGconn.ping(where.encode()) == pq.Ping.OK

    def _start(self, options: Mapping[str, str | int]) -> None:
        self._forget_keeper()
        self.keeper = _spawn_keeper(self.home, options)
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self.keeper.poll() is not None or time.monotonic() > deadline:
                self.keeper.terminate()
                raise EmbeddedError(f"the embedded PostgreSQL did not start:\n{_log(self.home)}")
            time.sleep(POLL_SECONDS)

    def _forget_keeper(self) -> None:
        # Reaped if it has ended. Otherwise it outlives us by design, and Popen must not warn.
        if self.keeper is not None and self.keeper.poll() is None:
            self.keeper.returncode = 0
        self.keeper = None

    def _await_stop(self) -> None:
        deadline = time.monotonic() + STOP_SECONDS
        taken_up = 0
        while self._is_locked("server", fcntl.LOCK_EX) and time.monotonic() < deadline:
            # Another may have begun to use the server as we let go; one poll can be too early,
            # before the keeper has the lock.
            taken_up = 0 if self._is_locked("users", fcntl.LOCK_SH) else taken_up + 1
            if taken_up > TAKEN_UP_POLLS:
                return
            time.sleep(POLL_SECONDS)

    def _is_locked(self, name: str, operation: int) -> bool:
        descriptor = os.open(self.home / name, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            return not _try_lock(descriptor, operation)
        finally:
            os.close(descriptor)


def _locked(path: Path, operation: int) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(descriptor, operation)
    return descriptor


def _try_lock(descriptor: int, operation: int) -> bool:
    try:
        fcntl.flock(descriptor, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _spawn_keeper(home: Path, options: Mapping[str, str | int]) -> subprocess.Popen[bytes]:
    who = choose(home)
    arguments = [str(home), str(binaries(home)), USER, NAME]
    arguments += [str(who.uid), str(who.gid)] if who else ["", ""]
    arguments += [f"{name}={value}" for name, value in options.items()]
    log = os.open(home / "log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        return subprocess.Popen(
            # -I -S: nothing but the standard library, whatever the environment says.
            [sys.executable, "-I", "-S", keeper.__file__, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            # Its own session: Ctrl-C in a terminal must reach the users, not the server.
            start_new_session=True,
        )
    finally:
        os.close(log)


def _log(home: Path) -> str:
    return "\n".join((home / "log").read_text(errors="replace").splitlines()[-15:])
