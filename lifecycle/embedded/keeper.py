"""The process that runs PostgreSQL while somebody uses it. Started by `session`, run as a script.

Standard library only. Arguments: home, folder of the binaries, superuser, database, uid, gid (both
empty: our own), then PostgreSQL settings as name=value.
"""

import ctypes
import fcntl
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

PR_SET_PDEATHSIG = 1

SETTINGS = {
    "listen_addresses": "",
    "max_connections": "100",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class Stopped(Exception):
    """A signal came: the server died, or somebody asks the keeper to end."""


def main(home: Path, bin: Path, user: str, name: str, uid: str, gid: str, *options: str) -> int:
    """Run the server until the `users` lock has no holder; the exit code is the server's."""
    # Waits for an earlier server to be gone wholly: every process of it inherited this lock.
    lock = os.open(home / "server", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    run: dict[str, Any] = {"cwd": "/", "env": environment(), "pass_fds": [lock]}
    if uid:
        run |= {"user": int(uid), "group": int(gid), "extra_groups": []}
    remove_stale(home)
    if not (home / "data").exists():
        initialise(home, bin, user, name, run)
    return serve(home, command(home, bin, options), run)


def remove_stale(home: Path) -> None:
    """Remove what a killed server left: it names a pid that may be anybody's by now."""
    for name in ("data/postmaster.pid", "socket/.s.PGSQL.5432", "socket/.s.PGSQL.5432.lock"):
        (home / name).unlink(missing_ok=True)


def initialise(home: Path, bin: Path, user: str, name: str, run: dict[str, Any]) -> None:
    """Make the data folder beside its place and rename it, so that a killed initdb leaves none."""
    fresh = home / "data.new"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    if "user" in run:
        os.chown(fresh, run["user"], run["group"])
    # The built-in C.UTF-8 needs no locale of the system, and its upper() knows more than ASCII.
    locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin"]
    locale += ["--builtin-locale=C.UTF-8"]
    initdb = [str(bin / "initdb"), "-D", str(fresh), "-U", user, "--auth=trust", *locale]
    subprocess.run(initdb, check=True, **run)
    single = [str(bin / "postgres"), "--single", "-D", str(fresh), "postgres"]
    subprocess.run(single, input=f"CREATE DATABASE {name}\n".encode(), check=True, **run)
    fresh.rename(home / "data")


def command(home: Path, bin: Path, options: tuple[str, ...]) -> list[str]:
    """The server's command line; later settings win."""
    settings = [f"{name}={value}" for name, value in SETTINGS.items()] + list(options)
    flags = [part for setting in settings for part in ("-c", setting)]
    return [str(bin / "postgres"), "-D", str(home / "data"), "-k", str(home / "socket"), *flags]


def serve(home: Path, arguments: list[str], run: dict[str, Any]) -> int:
    """Start the server, wait for the last user to go, shut it down without waiting for clients."""
    users = os.open(home / "users", os.O_RDWR | os.O_CREAT, 0o600)
    server = subprocess.Popen(
        arguments,
        # Runs after the change of user, which would clear it; the keeper has a single thread,
        # as the signal comes when the *thread* that forked ends.
        preexec_fn=die_with_parent(),
        **run,
    )
    try:
        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGCHLD, stop)
        if server.poll() is None:
            fcntl.flock(users, fcntl.LOCK_EX)
    except Stopped:
        pass
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    server.send_signal(signal.SIGINT)  # fast shutdown: clients are disconnected
    return server.wait()


def stop(number: int, frame: FrameType | None) -> None:
    raise Stopped


def die_with_parent() -> Callable[[], None] | None:
    """What makes the server shut down when its keeper is killed; Linux only."""
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)
    keeper = os.getpid()

    def prepare() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGINT)
        if os.getppid() != keeper:  # it died before the call
            os._exit(1)

    return prepare


def environment() -> dict[str, str]:
    """Ours without PG*, which would redirect or reconfigure the server, and without locales."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_"))}
    return kept | {"LC_ALL": "C", "TZ": "UTC"}


if __name__ == "__main__":
    home, bin, *rest = sys.argv[1:]
    try:
        sys.exit(main(Path(home), Path(bin), *rest))
    except subprocess.CalledProcessError as error:
        # Its own last words are in the log already; a traceback would hide them.
        sys.exit(f"{Path(error.cmd[0]).name} failed with exit code {error.returncode}")
