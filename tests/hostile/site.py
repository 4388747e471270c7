"""The site: its roles and tables, what is written, and one pass of a worker over all of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
from django.core.checks import CheckMessage, run_checks
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from psycopg import sql

from lifecycle.capture.triggers import registered
from lifecycle.db.connection import fetch
from lifecycle.install.after_migrate import sync
from lifecycle.install.roles import Role, apply, grants
from purge.runner import run_due
from tests.hostile.keys import Key
from tests.hostile.models import HOSTS, Host
from tests.hostile.writers import WRITERS, Row, Write

PASSWORD = "only-a-test"  # for servers that ask for one
CITEXT = Path(__file__).with_name("citext.sql")
FREE, STUCK, LATER = "free", "stuck", "later"
MOST = 40  # keys that rows keep; those from 60 on are for rows that get another


class Site:
    """A database of its own, and the names of two roles that own nothing there."""

    def __init__(self) -> None:
        self.owner = dict(connection.settings_dict)
        name = self.owner["NAME"]
        self.roles = {kind: f"{name}_{kind}" for kind in ("site", "worker")}

    def make(self) -> None:
        """Tables, roles, triggers, policies; as the owner."""
        self.drop_roles()
        path = "SET search_path = public, elsewhere"
        self._run("CREATE SCHEMA elsewhere")
        self._citext()
        self._run("ALTER DATABASE {} " + path, self.owner["NAME"])
        self._run(path)
        call_command("migrate", verbosity=0)
        for host in HOSTS:
            for text in (host.form.before, host.form.create, host.form.after):
                if text:
                    self._run(sql.SQL(host.fill(text).replace("{", "{{").replace("}", "}}")))
        self._capture()
        for role in self.roles.values():
            self._role(role)
        apply(grants([Role("site", self.roles["site"])], "default"), "default")
        apply(grants([Role("worker", self.roles["worker"])], "default"), "default")

    def _citext(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT FROM pg_available_extensions WHERE name = 'citext'")
            has = cursor.fetchone() is not None
            cursor.execute("CREATE EXTENSION citext" if has else CITEXT.read_text())

    def _capture(self) -> None:
        """What the migrations of the tables' app would bring, and what `migrate` then does."""
        for model, trigger in registered():
            if model._meta.managed:
                fetch("default", str(trigger.compile(model).sql))
        sync("default")

    def _role(self, role: str) -> None:
        """May do with the host's tables what it likes, and owns none."""
        self._run("CREATE ROLE {} LOGIN PASSWORD " + f"'{PASSWORD}'", role)
        for schema in ("public", "elsewhere"):
            self._run(f"GRANT USAGE ON SCHEMA {schema} TO {{}}", role)
        for host in HOSTS:
            for table in {host.table, *_others(host)}:
                self._run(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {{}}", role)

    def drop_roles(self) -> None:
        for role in self.roles.values():
            with connection.cursor() as cursor:
                cursor.execute("SELECT FROM pg_roles WHERE rolname = %s", [role])
                if cursor.fetchone() is not None:
                    self._run("DROP OWNED BY {}", role)
                    self._run("DROP ROLE {}", role)

    @contextmanager
    def logged_in(self, kind: str) -> Iterator[None]:
        """Django's connection is that of a role."""
        connection.close()
        connection.settings_dict.update(USER=self.roles[kind], PASSWORD=PASSWORD)
        try:
            yield
        finally:
            connection.close()
            connection.settings_dict.update(
                USER=self.owner["USER"], PASSWORD=self.owner["PASSWORD"]
            )

    def write(self) -> None:
        """The rows of every cell, each by its writer, in the site's role."""
        with self.logged_in("site"):
            connection.ensure_connection()
            parameters = connection.get_connection_params()
            plain = {
                each: parameters[each] for each in parameters.keys() - {"context", "cursor_factory"}
            }
            with psycopg.connect(**plain, autocommit=True) as other:
                for host in HOSTS:
                    if host.form.create:
                        self._write(host, other)

    def _write(self, host: Host, other: psycopg.Connection[Any]) -> None:
        for number, write in enumerate(WRITERS):
            rows = rows_of(host, number, write)
            write(host, other, rows)
            if host.form.has_kids:
                self._kids(host, other, rows)

    def _kids(self, host: Host, other: psycopg.Connection[Any], rows: list[Row]) -> None:
        for row in rows:
            if row.stuck or not host.form.sticks:
                text = f"INSERT INTO public.{host.name}_kid VALUES (%s::{host.key.db_type})"
                other.execute(sql.SQL(text), [host.key.stored(row.key)])

    def purge(self) -> Exception | None:
        """One pass over everything, in the worker's role; what it has raised."""
        with self.logged_in("worker"):
            try:
                run_due()
            except Exception as error:
                return error
        return None

    def checks(self) -> list[CheckMessage]:
        """What `manage.py check --database default` says, in the worker's role."""
        with self.logged_in("worker"):
            return run_checks(databases=["default"])

    def _run(self, text: Any, *names: str) -> None:
        made = text if isinstance(text, sql.SQL) else sql.SQL(text)
        with connection.cursor() as cursor:
            cursor.execute(made.format(*map(sql.Identifier, names)).as_string())


def rows_of(host: Host, number: int, write: Write) -> list[Row]:
    """A row that is due, one that is not, and where rows can be stuck, a due one that is."""
    now, key = timezone.now(), keys_from(host.key, number * 4)
    due, later = now - timedelta(hours=1), now + timedelta(days=9)
    rows = [
        Row(next(key), f"{write.__name__} {FREE}", False, due),
        Row(next(key), f"{write.__name__} {LATER}", False, later),
    ]
    stuck = Row(next(key), f"{write.__name__} {STUCK}", True, due)
    return [*rows, stuck] if host.form.sticks else rows


def keys_from(key: Key, number: int) -> Iterator[Any]:
    """The key's values from a number on."""
    return map(key.value, range(number, MOST))


def _others(host: Host) -> list[str]:
    if host.form.model == "child":
        return [f"public.{host.name}_base"]
    names = [host.fill(host.form.direct)] if host.form.direct else []
    return names + ([f"public.{host.name}_kid"] if host.form.has_kids else [])
