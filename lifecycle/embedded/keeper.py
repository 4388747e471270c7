"""The process that runs PostgreSQL while somebody uses it. Started by `session`, run as a script.

Standard library only. Arguments: home, folder of the binaries, superuser, database, uid, gid (both
empty: our own), then PostgreSQL settings as name=value.

Only the user who started it is let in as the superuser, by the uid that the kernel says (`peer`);
any other role needs a password. Files in `home` say so, whatever stands in the data folder.
"""

import ctypes
import fcntl
import os
import pwd
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

PR_SET_PDEATHSIG = 1

HBA = """\
local all,replication {user} peer map=owner
local all,replication all scram-sha-256
"""

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
    write_access(home, user, run)
    if not (home / "data").exists():
        initialise(home, bin, user, name, run)
    return serve(home, command(home, bin, options), run)


def remove_stale(home: Path) -> None:
    """Remove what a killed server left: it names a pid that may be anybody's by now."""
    for name in ("data/postmaster.pid", "socket/.s.PGSQL.5432", "socket/.s.PGSQL.5432.lock"):
        (home / name).unlink(missing_ok=True)


def write_access(home: Path, user: str, run: dict[str, Any]) -> None:
    """Say who may connect as whom; anew at each start, as the user may have another name."""
    ourselves = pwd.getpwuid(os.geteuid()).pw_name.replace('"', '""')
    text = {"hba": HBA.format(user=user), "ident": f'owner "{ourselves}" {user}\n'}
    for name, said in text.items():
        fresh = home / f"{name}.new"
        fresh.unlink(missing_ok=True)
        fresh.touch(mode=0o600)
        fresh.write_text(said)
        if "user" in run:  # may be read by the server, and changed by us alone
            os.chown(fresh, -1, run["group"])
            fresh.chmod(0o640)
        fresh.rename(home / name)


def initialise(home: Path, bin: Path, user: str, name: str, run: dict[str, Any]) -> None:
    """Make the data folder beside its place and move it, so that a killed initdb leaves none.

    initdb wants a user that has a name, so for a uid without one `nobody` makes it, where only the
    server's group may enter; see `owner`.
    """
    closed = home / "data.new"
    shutil.rmtree(closed, ignore_errors=True)
    closed.mkdir(mode=0o700)
    fresh, made = closed / "data", run
    fresh.mkdir(mode=0o700)
    if "user" in run:
        maker = pwd.getpwnam("nobody").pw_uid
        os.chown(closed, -1, run["group"])
        closed.chmod(0o710)
        os.chown(fresh, maker, run["group"])
        made = run | {"user": maker}
    _fill(fresh, bin, user, name, made)
    if "user" in run:
        hand_over(fresh, run["user"], run["group"])
    fresh.rename(home / "data")
    closed.rmdir()


def hand_over(top: Path, uid: int, gid: int) -> None:
    for folder, folders, files in os.walk(top, topdown=False):
        for name in (*folders, *files):
            os.chown(os.path.join(folder, name), uid, gid, follow_symlinks=False)
    os.chown(top, uid, gid)


def _fill(fresh: Path, bin: Path, user: str, name: str, run: dict[str, Any]) -> None:
    # The built-in C.UTF-8 needs no locale of the system, and its upper() knows more than ASCII.
    locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin"]
    locale += ["--builtin-locale=C.UTF-8"]
    initdb = [str(bin / "initdb"), "-D", str(fresh), "-U", user, "--auth=reject", *locale]
    subprocess.run(initdb, check=True, **run)
    single = [str(bin / "postgres"), "--single", "-D", str(fresh), "postgres"]
    subprocess.run(single, input=f"CREATE DATABASE {name}\n".encode(), check=True, **run)


def command(home: Path, bin: Path, options: tuple[str, ...]) -> list[str]:
    """The server's command line; later settings win."""
    access = {"hba_file": home / "hba", "ident_file": home / "ident"}
    known = SETTINGS | access
    settings = [f"{name}={value}" for name, value in known.items()] + list(options)
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
