"""An embedded PostgreSQL: a server for a checkout that has no database.

The binaries come from the `embedded` extra; data folder, socket and log live in one folder.
Any number of processes share the server. Each holds a shared lock on the folder's `users` file;
the first of them starts a *keeper* process, which runs the server until that lock has no holder.

Guarantees: the server outlives the process that started it as long as another uses it, and stops
when the last user ends, also when users are killed with SIGKILL. A killed keeper takes the server
with it (Linux), and the next `ensure` starts it again; nothing stale has to be removed by hand.
Reachable by this user only: a Unix socket in a folder of mode 0700, no TCP port.

Does not: run on Windows, upgrade data of an older major version, or serve other machines.
Importing this module starts nothing and needs neither the extra nor Django's settings.
"""

import atexit
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lifecycle.embedded.location import NAME, PORT, USER, place
from lifecycle.embedded.session import Session
from lifecycle.exceptions import EmbeddedError

__all__ = ["EmbeddedError", "database", "ensure", "release", "server"]

_sessions: dict[Path, Session] = {}
_guard = threading.Lock()


def database(path: Path | str) -> dict[str, Any]:
    """Django's DATABASES entry for the server of `path`; neither starts nor touches anything."""
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": NAME,
        "USER": USER,
        "HOST": str(place(path) / "socket"),
        "PORT": PORT,
    }


def ensure(path: Path | str, **options: str | int) -> None:
    """Have the server of `path` running until this process ends, or `release` is called.

    `options` are PostgreSQL settings (`fsync="off"`). They count for the process that starts the
    server; one that finds it running takes it as it is. Cheap to call again: it asks the server,
    and starts it anew if it has died. Raises `EmbeddedError` with the log's last lines.
    """
    home = place(path)
    with _guard:
        if home not in _sessions:
            _sessions[home] = Session(home)
        try:
            _sessions[home].start(options)
        except BaseException:
            _sessions.pop(home).close()
            raise


def release(path: Path | str) -> None:
    """Give up this process's use of the server; return once it has stopped, if nobody else uses it.

    Does nothing where `ensure` was not called. Close your connections first: the server ends them.
    """
    with _guard:
        session = _sessions.pop(place(path), None)
    if session is not None:
        session.close()


@contextmanager
def server(path: Path | str, **options: str | int) -> Iterator[dict[str, Any]]:
    """`ensure` and `release` around a block; yields the DATABASES entry."""
    ensure(path, **options)
    try:
        yield database(path)
    finally:
        release(path)


@atexit.register
def _release_all() -> None:
    for session in list(_sessions.values()):
        session.close()
    _sessions.clear()
