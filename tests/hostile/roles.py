"""A role that does the worker's work and owns nothing, with a login of its own."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from psycopg import sql

from lifecycle.install.roles import Role, apply, grants
from tests.security.roles import PASSWORD


def run(text: str, *names: str) -> None:
    """A statement of the tests' own role, with the names quoted in it."""
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(text).format(*map(sql.Identifier, names)).as_string())


@contextmanager
def worker_role() -> Iterator[str]:
    """The role's name; it is taken away with what it was granted."""
    name = f"{connection.settings_dict['NAME']}_hostile"
    run(f"CREATE ROLE {{}} LOGIN PASSWORD '{PASSWORD}'", name)
    try:
        apply(grants([Role("worker", name)], "default"), "default")
        yield name
    finally:
        run("DROP OWNED BY {0}; DROP ROLE {0}", name)


@contextmanager
def logged_in(role: str) -> Iterator[None]:
    """Django's connection is one of this role."""
    settings = connection.settings_dict
    before = {name: settings.get(name) for name in ("USER", "PASSWORD")}
    connection.close()
    settings.update({"USER": role, "PASSWORD": PASSWORD})
    try:
        yield
    finally:
        connection.close()
        settings.update(before)
