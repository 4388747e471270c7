"""Base backups of the tests' server, each recovered as a server of its own."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
from django.conf import settings
from django.db import connection, connections
from psycopg.conninfo import make_conninfo

from lifecycle.db.connection import fetch, scalar
from lifecycle.embedded.location import binaries, place
from purge.proof import gate
from purge.proof import place as places
from tests.infra.servers import until
from tests.places.servers import PORT, folder, login, running, servers_user
from tests.purge.worker.consumer import PARTS

MOMENT, SLOT = "moment", "drill"


class Server:
    """Base backups of one server, and WAL from now on."""

    def __init__(self, path: Path, user: str, stack: ExitStack) -> None:
        self.path, self.stack = path, stack
        self.home = place(settings.EMBEDDED_DATABASE)
        self.known = dict(connection.settings_dict)
        host, port = str(self.known["HOST"]), str(self.known["PORT"])
        self.source = make_conninfo(host=host, port=port, user=user, password=user)

    def program(self, name: str) -> str:
        return str(binaries(self.home) / name)

    def receive(self) -> None:
        """Keep the WAL from now on, segment by segment; none is lost that it has not got yet."""
        self.stack.callback(until, drop_slot)
        fetch("default", f"SELECT pg_create_physical_replication_slot('{SLOT}', true)")
        wal = self.path / "wal"
        wal.mkdir()
        if who := servers_user():
            shutil.chown(wal, who.uid, who.gid)
        arguments = (self.program("pg_receivewal"), "-D", str(wal), "-S", SLOT, "-d", self.source)
        self.stack.enter_context(running(*arguments, log=self.path / "receive"))
        until(lambda: any(wal.iterdir()), 30)

    def copy(self) -> None:
        data = str(self.path / "data")
        arguments = (self.program("pg_basebackup"), "-D", data, "-c", "fast", "-d", self.source)
        with running(*arguments, log=self.path / "copy") as copying:
            assert copying.wait(120) == 0, (self.path / "copy").read_text()

    def start(self, **more: str) -> None:
        """The site is with the recovered server from then on."""
        access = {f"{each}_file": str(self.home / each) for each in ("hba", "ident")}
        flags = {"port": PORT, "listen_addresses": "", "fsync": "off"} | access | more
        flags["max_prepared_transactions"] = "99"
        words = [part for name, value in flags.items() for part in ("-c", f"{name}={value}")]
        arguments = ("-D", str(self.path / "data"), "-k", str(self.path), *words)
        log = self.path / "log"
        self.stack.enter_context(running(self.program("postgres"), *arguments, log=log))
        until(self._is_open, 60)
        move(HOST=str(self.path), PORT=PORT)

    def _is_open(self) -> bool:
        where = {name: self.known[part] for part, name in PARTS.items() if self.known.get(part)}
        where |= {"host": str(self.path), "port": PORT}
        try:
            with psycopg.connect(**where, autocommit=True) as session:
                (recovers,) = session.execute("SELECT pg_is_in_recovery()").fetchone()  # type: ignore[misc]
                return not recovers
        except psycopg.OperationalError:
            return False

    def mark(self) -> None:
        """Name this moment."""
        flush()
        fetch("default", "SELECT pg_create_restore_point(%(name)s)", {"name": MOMENT})

    def until_moment(self) -> None:
        """Recover to the moment that was named, and open."""
        last = scalar("default", "SELECT pg_walfile_name(pg_current_wal_lsn())")
        flush()
        fetch("default", "SELECT pg_switch_wal()")
        flush()
        until(lambda: (self.path / "wal" / last).exists(), 60)
        (self.path / "data" / "recovery.signal").touch()
        if who := servers_user():
            shutil.chown(self.path / "data" / "recovery.signal", who.uid, who.gid)
        wal = self.path / "wal"
        self.start(
            restore_command=f"cp {wal}/%f %p", recovery_target_name=MOMENT,
            recovery_target_action="promote",
        )  # fmt: skip


def drop_slot() -> bool:
    """Whether it is gone: the server may not have noticed yet that its client is."""
    text = f"SELECT pg_drop_replication_slot('{SLOT}') FROM pg_replication_slots WHERE NOT active"
    fetch("default", text)
    return not scalar("default", "SELECT count(*) FROM pg_replication_slots")


def flush() -> None:
    """The tests' server commits without a flush."""
    with connection.cursor() as cursor:
        cursor.execute(
            "BEGIN; SET LOCAL synchronous_commit = on;"
            "SELECT pg_logical_emit_message(true, 'test', ''); COMMIT"
        )


def move(**where: str) -> None:
    connections.close_all()
    connection.settings_dict.update(where)
    gate.forget("default")
    places._heard.clear()


@contextmanager
def base_backup() -> Iterator[Callable[[], Callable[[], None]]]:
    """Gives what makes one; what that gives restores it."""
    with _server() as server:

        def back_up() -> Callable[[], None]:
            flush()
            server.copy()
            return server.start

        yield back_up


@contextmanager
def point_in_time() -> Iterator[Callable[[], Callable[[], None]]]:
    """A base backup from now, and WAL; gives what names the moment to recover to."""
    with _server() as server:
        server.receive()
        server.copy()

        def back_up() -> Callable[[], None]:
            server.mark()
            return server.until_moment

        yield back_up


@contextmanager
def _server() -> Iterator[Server]:
    known = {part: connection.settings_dict[part] for part in ("HOST", "PORT")}
    with folder() as path, login() as user, ExitStack() as stack:
        try:
            yield Server(path, user, stack)
        finally:
            move(**known)  # a server waits for its clients
            stack.close()
