"""Roles of PostgreSQL as a site would have them, with logins of their own.

site      reads and writes the host's tables, owns nothing
reader    may SELECT from the ledger's tables
stranger  may connect, and nothing else

The role that owns the tables and runs the worker is the tests' own. Roles belong to the server and
the databases of parallel tests share it, so each database has its own names.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connection
from psycopg import sql

from tests.support import session

LEDGER = ("lifecycle_event", "lifecycle_agenda", "lifecycle_exception", "lifecycle_policy")
PASSWORD = "only-a-test"  # for servers that ask for one


class Roles:
    """The three roles of one test database; attributes are their names."""

    def __init__(self) -> None:
        self.database = str(connection.settings_dict["NAME"])
        self.site, self.reader, self.stranger = (
            f"{self.database}_{name}" for name in ("site", "reader", "stranger")
        )

    @contextmanager
    def session(self, role: str, **options: Any) -> Iterator[psycopg.Connection[Any]]:
        """A connection that has logged in as the role; each statement commits."""
        options = {"autocommit": True, **options}
        with session(user=role, password=PASSWORD, **options) as other:
            yield other

    def make(self) -> None:
        for role in (self.site, self.reader, self.stranger):
            _run("CREATE ROLE {} LOGIN PASSWORD {}", sql.Identifier(role), sql.Literal(PASSWORD))
        self._grant_site()
        for table in LEDGER:
            _run("GRANT SELECT ON {} TO {}", sql.Identifier(table), sql.Identifier(self.reader))

    def _grant_site(self) -> None:
        """The host's tables, with their sequences: all but those of this package."""
        ours = ("lifecycle_", "purge_", "django_", "huey_")
        tables = [t for t in connection.introspection.table_names() if not t.startswith(ours)]
        names = sql.SQL(", ").join(map(sql.Identifier, tables))
        site = sql.Identifier(self.site)
        _run("GRANT SELECT, INSERT, UPDATE, DELETE ON {} TO {}", names, site)
        _run("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {}", site)

    def drop(self) -> None:
        for role in (self.site, self.reader, self.stranger):
            _run("DROP OWNED BY {}", sql.Identifier(role))
            _run("DROP ROLE {}", sql.Identifier(role))


@contextmanager
def roles_of_a_site() -> Iterator[Roles]:
    """Make the roles, and take them away whatever happens."""
    roles = Roles()
    roles.make()
    try:
        yield roles
    finally:
        roles.drop()


def _run(text: str, *parts: sql.Composable) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(text).format(*parts).as_string())
