"""A database that a role owns which is no superuser, and roles that own nothing beside it.

Each role has processes of its own, which log in as it: `owned.run("site", code)` is one of Django.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from django.conf import settings
from psycopg import sql

from demo import environment
from tests.demo.telling import own_database, url_of
from tests.infra import forked
from tests.infra.servers import ROOT
from tests.purge.worker.consumer import Consumer
from tests.security.roles import PASSWORD

KINDS = ("owner", "site", "officer", "worker", "reader")
PATIENCE = 280  # seconds for one process: on a busy machine each takes ten times as long as alone
PREAMBLE = """
import datetime, json, uuid
from datetime import timedelta
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
import purge, lifecycle
from lifecycle import *
from lifecycle.models import *
from tests.zoo.models import *
from tests.zoo import factories
PAST, DAY = timezone.now() - timedelta(days=3), timedelta(days=1)
"""


class Failed(Exception):
    """A process ended with an error; the text is what it has written."""


class Owned:
    """The database's name, and its roles by their kind."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.folder = name, folder
        self.roles = {kind: f"{name}_{kind}" for kind in KINDS}

    def url(self, kind: str) -> str:
        entry = settings.DATABASES["default"] | {"USER": self.roles[kind], "PASSWORD": PASSWORD}
        return url_of(entry, quote(self.name, safe=""))

    def environment(self, kind: str, name: str = "") -> dict[str, str]:
        """What makes a process the site's, as a role; `name` is what its sessions bear."""
        more = f"&application_name={name}" if name else ""
        return {
            "DJANGO_SETTINGS_MODULE": "tests.security.settings",
            "DATABASE_URL": self.url(kind) + more,
            "FOLDER": str(self.folder),
        }

    def manage(self, kind: str, *arguments: str) -> str:
        """`manage.py` as a role; raises `Failed`."""
        names = environment.EXAMPLES.keys()
        inherited = {name: value for name, value in os.environ.items() if name not in names}
        inherited |= self.environment(kind)
        done = forked.run("manage.py", *arguments, cwd=ROOT, env=inherited, timeout=PATIENCE)
        if done.returncode:
            raise Failed(done.stdout + done.stderr)
        return done.stdout

    def run(self, kind: str, code: str) -> str:
        """Python in a process of the site's settings, as a role; what it prints."""
        return self.manage(kind, "shell", "-v0", "-c", PREAMBLE + code).strip()

    @contextmanager
    def consumer(self, folder: Path) -> Iterator["OwnedConsumer"]:
        """The site's `run_huey`, as the worker's role, ready; killed at the end."""
        consumer = OwnedConsumer(self, folder)
        try:
            yield consumer.wait_ready()
        finally:
            consumer.kill()

    @contextmanager
    def session(self, kind: str) -> Iterator[psycopg.Connection[Any]]:
        """A connection of a role; each statement commits."""
        with psycopg.connect(self.url(kind), autocommit=True) as session:
            yield session

    def ask(self, text: str, *params: Any, kind: str = "owner") -> Any:
        """The first value of a query."""
        with self.session(kind) as session:
            return (session.execute(text, params).fetchone() or [None])[0]


class OwnedConsumer(Consumer):
    """A consumer in the owned database, which logs in as the worker."""

    patience = PATIENCE

    def __init__(self, owned: Owned, folder: Path) -> None:
        self.owned = owned
        super().__init__("owned-consumer", folder, **owned.environment("worker", "owned-consumer"))

    def sessions(self, condition: str = "true") -> int:
        text = "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s"
        text += f" AND datname = current_database() AND ({condition})"
        return int(self.owned.ask(text, self.name, kind="worker"))


@contextmanager
def owned_database(name: str, folder: Path) -> Iterator[Owned]:
    """Make database and roles, migrate as the owner; drop all of it whatever happens."""
    owned = Owned(name, folder)
    entry = settings.DATABASES["default"]
    with psycopg.connect(url_of(entry, "postgres"), autocommit=True) as admin:
        _drop(admin, owned)
        try:
            for role in owned.roles.values():
                _run(
                    admin,
                    "CREATE ROLE {} LOGIN PASSWORD {}",
                    sql.Identifier(role),
                    sql.Literal(PASSWORD),
                )
            with own_database(entry, name):
                words = (sql.Identifier(name), sql.Identifier(owned.roles["owner"]))
                _run(admin, "ALTER DATABASE {} OWNER TO {}", *words)
                owned.manage("owner", "migrate", "-v0")
                yield owned
        finally:
            _drop(admin, owned)


def _drop(admin: psycopg.Connection[Any], owned: Owned) -> None:
    _run(admin, "DROP DATABASE IF EXISTS {} WITH (FORCE)", sql.Identifier(owned.name))
    for role in owned.roles.values():
        _run(admin, "DROP ROLE IF EXISTS {}", sql.Identifier(role))


def _run(admin: psycopg.Connection[Any], text: str, *parts: sql.Composable) -> None:
    admin.execute(sql.SQL(text).format(*parts))
