"""The real parts of a schedule: a server, a database of its own, a bucket, workers."""

import os
import secrets
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
from django.core.management import call_command
from django.db import connections
from psycopg import sql

from lifecycle import embedded
from lifecycle.proof.encoding import to_base64
from lifecycle.proof.keys import SignerKey
from tests.faults.nursery import Nursery, settle_at
from tests.infra.servers import answers, data_folder, is_alive, parent, postmaster, until
from tests.purge.worker.proxy import Proxy
from tests.s3 import strict

TEMPLATE, WORKER = "faults_template", "faults worker"
#: Nothing has to outlive a power cut; a killed process loses nothing either way.
FAST = {"fsync": "off", "full_page_writes": "off", "max_connections": 60, "autovacuum": "off"}
SIGNER = SignerKey.generate("example.org/faults")
LOG = {
    "origin": SIGNER.name,
    "signing_key": SIGNER.secret_text(),
    "key": to_base64(secrets.token_bytes(32)),
}
SESSIONS = "SELECT pid FROM pg_stat_activity WHERE application_name = %s AND datname = %s"


class World:
    """One server and one store for many schedules; `database` and `bucket` are the schedule's."""

    def __init__(self, path: Path, nursery: Nursery, store: strict.Strict, proxy: Proxy) -> None:
        self.path, self.nursery, self.store, self.proxy = path, nursery, store, proxy
        self.names = count(1)
        self.database = self.bucket = ""
        self.proof = False
        self.workers: list[int] = []

    def begin(self, proof: bool) -> None:
        """A new database and a new bucket; `proof`: its ledger is sealed and published."""
        self.proof = proof
        self.database = f"faults_{next(self.names)}"
        self._copy(TEMPLATE, self.database)
        self.store.reset()
        self.bucket = self.store.bucket().name
        settle_at(self.place(direct=True))

    def end(self) -> None:
        """Nothing of them stays."""
        self.kill_workers()
        connections["default"].close()
        for name in (self.database, self.backup):
            self.admin(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            )

    def place(self, direct: bool = False) -> dict[str, Any]:
        """Where a process finds database and bucket; a worker goes through the proxy."""
        entry = embedded.database(self.path)
        line = {"HOST": entry["HOST"], "PORT": entry["PORT"], "OPTIONS": {}}
        if not direct:
            plain = {"sslmode": "disable", "gssencmode": "disable", "application_name": WORKER}
            line = {"HOST": "127.0.0.1", "PORT": str(self.proxy.port), "OPTIONS": plain}
        named = {"NAME": self.database, "USER": entry["USER"]}
        return {
            "database": line | named,
            "settings": self.settings(),
        }

    def settings(self) -> dict[str, Any]:
        """What the site's settings say of the store and of the log."""
        named: dict[str, Any] = self.store.settings(self.bucket)
        return named | {"LIFECYCLE_PROOF": LOG if self.proof else None}

    def start_worker(self) -> None:
        self.workers.append(self.nursery.start(self.place()))

    def once(self, what: str, tries: int) -> None:
        """`publish` or `recover` in a process of its own; each try finds less of the faults."""
        path = self.path.with_name(what)
        for _ in range(tries):
            path.unlink(missing_ok=True)
            pid = self.nursery.start(self.place() | {"does": what, "said": str(path)})
            until(lambda pid=pid: not is_alive(pid))
            self.nursery.end(pid)
            if path.read_text() == "done":
                return
        raise AssertionError(f"{what}: {path.read_text()}")

    def back_up(self) -> None:
        """A copy of the database as it is, in the place of the last one."""
        self.kill_workers()
        self._copy(self.database, self.backup)
        self.start_worker()

    def restore(self) -> None:
        """The backup in the database's place; all was published, and the store stays as it is."""
        self.kill_workers()
        self.proxy.cuts = self.proxy.done
        self.store.faults.clear()
        self.once("publish", tries=1)
        self._copy(self.backup, self.database)
        self.once("recover", tries=1)
        self.start_worker()

    @property
    def backup(self) -> str:
        """The name of the schedule's backup."""
        return f"{self.database}_backup"

    def _copy(self, source: str, name: str) -> None:
        connections["default"].close()
        parts = sql.Identifier(name), sql.Identifier(source)
        self.admin(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(parts[0]))
        self.admin(sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(*parts))

    def kill_workers(self) -> None:
        """And wait until the server has noticed: their locks are gone."""
        for pid in self.workers:
            self.nursery.end(pid)
        self.workers.clear()
        until(lambda: not self.sessions())

    def end_sessions(self) -> None:
        """The server ends the workers' sessions, wherever they are."""
        self.admin(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = %s AND datname = %s",
            [WORKER, self.database],
        )

    def crash(self) -> None:
        """One server process is killed: all sessions end, and the server recovers."""
        for pid in self.sessions()[:1]:
            self._down(lambda pid=pid: self._killed(pid))

    def stop(self) -> None:
        """The server is stopped at once, as by a power cut, and started again."""
        self._down(self._stopped)

    def sessions(self) -> list[int]:
        """The server's processes that serve workers."""
        return [pid for (pid,) in self.admin(SESSIONS, [WORKER, self.database])]

    def _killed(self, pid: int) -> bool:
        """Whether it was; not a process that has got the number of a session since."""
        with suppress(FileNotFoundError, ProcessLookupError):
            if parent(pid) == postmaster(self.path):
                os.kill(pid, signal.SIGKILL)
                return True
        return False

    def _stopped(self) -> bool:
        os.kill(postmaster(self.path), signal.SIGQUIT)
        return True

    def _down(self, bring: Callable[[], bool]) -> None:
        """Until it is up again, after it was down: it goes on answering for a moment."""
        connections["default"].close()
        watching = self._session()
        if bring():
            until(lambda: _has_ended(watching))
            until(self._is_up)
        watching.close()

    def _is_up(self) -> bool:
        """Recovered from a crash, or started again."""
        try:
            embedded.ensure(self.path, **FAST)
        except embedded.EmbeddedError:
            return False
        return answers(self.path)

    def admin(self, statement: Any, values: list[Any] | None = None) -> list[Any]:
        """What the server says, asked past the database of the schedule."""
        with self._session() as connection:
            found = connection.execute(statement, values)
            return found.fetchall() if found.description else []

    def _session(self) -> psycopg.Connection[Any]:
        entry = embedded.database(self.path)
        return psycopg.connect(
            host=entry["HOST"], port=entry["PORT"], user=entry["USER"], dbname=entry["NAME"],
            autocommit=True,
        )  # fmt: skip


def _has_ended(session: psycopg.Connection[Any]) -> bool:
    try:
        session.execute("SELECT 1")
    except psycopg.Error:
        return True
    return False


@contextmanager
def running(nursery: Nursery) -> Iterator[World]:
    """The world, with a migrated database to copy."""
    with data_folder() as path, strict.running() as store:
        embedded.ensure(path, **FAST)
        proxy = Proxy(b"faults_")
        world = World(path, nursery, store, proxy)
        try:
            _make_template(world)
            yield world
        finally:
            proxy.close()


def _make_template(world: World) -> None:
    world.admin(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(TEMPLATE)))
    world.database, world.bucket = TEMPLATE, "none"
    settle_at(world.place(direct=True))
    call_command("migrate", verbosity=0)
    connections["default"].close()


def now() -> float:
    """The clock of this machine, which is the server's too."""
    return time.time()
