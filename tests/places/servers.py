"""The servers around a site: a pooler, a replica, a second database, Redis; each a real one."""

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection, connections
from psycopg.conninfo import make_conninfo

from lifecycle.embedded.location import binaries, place
from lifecycle.embedded.owner import Owner, owner_of
from tests.infra.guides import blocks
from tests.infra.servers import ROOT, until
from tests.purge.worker.consumer import PARTS

PORT = "6432"
POOLED = {"HOST", "PORT"}


def program(name: str, *folders: str) -> str:
    """The path of a program; skips where there is none, which in CI is an error."""
    found = shutil.which(name, path=os.pathsep.join([os.environ["PATH"], *folders]))
    if found is None:
        assert not os.environ.get("CI"), f"there is no {name}: .ci/run installs it"
        pytest.skip(f"there is no {name}")
    return found


@contextmanager
def alias(name: str, own: bool = False, **entry: Any) -> Iterator[str]:
    """A further database of this site: the default one, but for what is given.

    Only one with rows of its `own` is emptied after a test.
    """
    known = connections.settings["default"]
    test = known["TEST"] | {"MIRROR": None if own else "default"}
    connections.settings[name] = known | entry | {"TEST": test}
    try:
        yield name
    finally:
        connections[name].close()
        del connections[name]
        del connections.settings[name]


def servers_user() -> Owner | None:
    """Who runs servers here, if it may not be we: the tests' own server's user, else `nobody`."""
    if os.geteuid() != 0:
        return None
    known = settings.EMBEDDED_DATABASE and owner_of(place(settings.EMBEDDED_DATABASE))
    return known or Owner(pwd.getpwnam("nobody").pw_uid)


@contextmanager
def folder() -> Iterator[Path]:
    """A folder with a short path that the servers' user may enter and write to."""
    with tempfile.TemporaryDirectory(prefix="tp", dir="/tmp") as name:
        if who := servers_user():
            os.chown(name, who.uid, who.gid)
        yield Path(name)


@contextmanager
def running(*arguments: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A server's process, as a user that servers accept; it is ended and waited for."""
    who = servers_user()
    as_whom: dict[str, Any] = {}
    if who:
        as_whom = {"user": who.uid, "group": who.gid, "extra_groups": []}
    with log.open("wb") as out:
        process = subprocess.Popen(arguments, cwd="/", stdout=out, stderr=out, **as_whom)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def login() -> Iterator[str]:
    """A superuser with a password: a server's user is not let in as the one who started it."""
    name, known = f"server_{secrets.token_hex(4)}", connection.settings_dict["USER"]
    _administer(f"CREATE ROLE {name} LOGIN SUPERUSER REPLICATION PASSWORD '{name}' IN ROLE {known}")
    try:
        yield name
    finally:
        _administer(f"DROP ROLE {name}")


# --------------------------------------------------------------------------------- the pooler
GUIDE = ROOT / "docs" / "how-to" / "run-behind-pgbouncer.md"
MORE = """
listen_addr =
listen_port = {own}
unix_socket_dir = {folder}
auth_type = trust
auth_file = {folder}/users
"""


def _ini(path: Path, size: int, user: str | None) -> str:
    """What the guide says, with the addresses of this place."""
    known, text = connection.settings_dict, blocks(GUIDE)["ini"]
    # A checkout's path, and so that of its socket, may have a space.
    where = f"* = host='{known['HOST'] or '/var/run/postgresql'}' port={known['PORT'] or 5432}"
    if user:
        become = f"SET SESSION AUTHORIZATION {known['USER']}"
        where += f" user={user} password={user} connect_query='{become}'"
    here = {"site = host=db.internal port=5432": where, "pool_size = 20": f"pool_size = {size}"}
    for said, put in here.items():
        assert said in text
        text = text.replace(said, put)
    return text + MORE.format(own=PORT, folder=path)


@contextmanager
def bouncer(size: int = 20) -> Iterator[dict[str, Any]]:
    """pgbouncer in transaction mode before the server of the tests; the parts of its address."""
    known = connection.settings_dict
    own = settings.EMBEDDED_DATABASE and os.geteuid() == 0
    with folder() as path, login() if own else nullcontext() as other:
        user = known["USER"] or pwd.getpwuid(os.geteuid()).pw_name
        (path / "users").write_text(f'"{user}" "{known["PASSWORD"]}"\n')
        (path / "ini").write_text(_ini(path, size, other))
        started = running(program("pgbouncer", "/usr/sbin"), str(path / "ini"), log=path / "log")
        with started as process:
            until(lambda: (path / f".s.PGSQL.{PORT}").exists() or process.poll() is not None)
            assert process.poll() is None, (path / "log").read_text()
            yield {"HOST": str(path), "PORT": PORT, "DISABLE_SERVER_SIDE_CURSORS": True}


# --------------------------------------------------------------------------------- the replica
@contextmanager
def replica() -> Iterator["Replica"]:
    """A streaming replica of the embedded server."""
    if not settings.EMBEDDED_DATABASE:
        pytest.skip("a server given by DATABASE_URL need not let us replicate it")
    home = place(settings.EMBEDDED_DATABASE)
    programs, known = binaries(home), connection.settings_dict
    with folder() as path, login() as user:
        host, port = str(known["HOST"]), str(known["PORT"])
        source = make_conninfo(host=host, port=port, user=user, password=user)
        copy = [str(programs / "pg_basebackup"), "-D", str(path / "data"), "-R", "-c", "fast"]
        with running(*copy, "-d", source, log=path / "copy") as copying:
            assert copying.wait(60) == 0, (path / "copy").read_text()
        flags = ["-c", f"port={PORT}", "-c", "listen_addresses=", "-c", "fsync=off"]
        flags += ["-c", "max_prepared_transactions=99"]  # no fewer than its primary may have
        for access in ("hba", "ident"):  # whom the embedded server lets in
            flags += ["-c", f"{access}_file={home / access}"]
        start = [str(programs / "postgres"), "-D", str(path / "data"), "-k", str(path), *flags]
        with running(*start, log=path / "log") as process:
            yield Replica(path, process).wait_ready()
            process.send_signal(2)  # fast: its clients are disconnected


class Replica:
    """A replica whose replay is stopped, so that it is as stale as a test wants it."""

    def __init__(self, path: Path, process: "subprocess.Popen[bytes]") -> None:
        self.path, self.process = path, process
        self.entry = {"HOST": str(path), "PORT": PORT}

    def wait_ready(self) -> "Replica":
        until(self._answers, 30)
        self.ask("SELECT pg_wal_replay_pause()")
        return self

    def catch_up(self) -> None:
        """Replay what the primary has written until now, then stop again."""
        with connection.cursor() as cursor:
            # The tests' server commits without a flush, and replicas get what is flushed.
            cursor.execute(
                "BEGIN; SET LOCAL synchronous_commit = on;"
                "SELECT pg_logical_emit_message(true, 'test', ''); COMMIT"
            )
            cursor.execute("SELECT pg_current_wal_flush_lsn()::text")
            (there,) = cursor.fetchone()
        self.ask("SELECT pg_wal_replay_resume()")
        until(lambda: self.ask(f"SELECT pg_last_wal_replay_lsn() >= '{there}'::pg_lsn"))
        self.ask("SELECT pg_wal_replay_pause()")

    def ask(self, sql: str) -> Any:
        known = connection.settings_dict
        where = {name: known[part] for part, name in PARTS.items() if known.get(part)}
        where |= {"host": str(self.path), "port": PORT}
        with psycopg.connect(**where, autocommit=True) as session:
            cursor = session.execute(sql)
            return (cursor.fetchone() or [None])[0] if cursor.description else None

    def _answers(self) -> bool:
        assert self.process.poll() is None, (self.path / "log").read_text()
        try:
            return bool(self.ask("SELECT pg_is_in_recovery()"))
        except psycopg.OperationalError:
            return False


# ------------------------------------------------------------------------- the second database
@contextmanager
def second_database() -> Iterator[dict[str, Any]]:
    """A copy of the test database as it is now, on the same server; its entry's difference."""
    known = connection.settings_dict
    name = f"{known['NAME']}_second"
    connections.close_all()
    _administer(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    _administer(f'CREATE DATABASE "{name}" TEMPLATE "{known["NAME"]}"')
    try:
        yield {"NAME": name}
    finally:
        _administer(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _administer(sql: str, patience: float = 10) -> None:
    known = connection.settings_dict
    where = {name: known[part] for part, name in PARTS.items() if known.get(part)}
    give_up = time.monotonic() + patience
    while True:
        try:
            with psycopg.connect(**(where | {"dbname": "postgres"}), autocommit=True) as session:
                session.execute(sql)
            return
        except psycopg.errors.ObjectInUse:  # a session that has just ended is still there
            assert time.monotonic() < give_up
            time.sleep(0.05)


# --------------------------------------------------------------------------------------- Redis
@contextmanager
def redis(path: Path) -> Iterator[str]:
    """A Redis server that writes nothing to disk; its address."""
    socket = path / "redis"
    arguments = [program("redis-server"), "--port", "0", "--unixsocket", str(socket), "--save", ""]
    with subprocess.Popen(arguments, stdout=subprocess.DEVNULL) as server:
        until(socket.exists)
        try:
            yield f"unix://{socket}"
        finally:
            server.terminate()
            server.wait(30)
            socket.unlink(missing_ok=True)
