"""Checks of what roles of the database could do that they should not."""

from collections.abc import Iterator

from django.conf import settings
from django.core.checks import CheckMessage
from django.db import connections
from psycopg import sql

from lifecycle.checks.messages import info, warning
from lifecycle.conf import conf
from lifecycle.db.connection import fetch, statement
from lifecycle.db.test_databases import is_test_database
from lifecycle.install.roles import LEDGER
from lifecycle.models import Event

GRANTS = "`manage.py lifecycle grants --site ROLE --worker ROLE`"


def roles(using: str) -> Iterator[CheckMessage]:
    """W120, W121, I122: who could aim the ledger from outside the engine; W131: who sees little."""
    yield from writers(using)
    yield from open_schemas(using)
    yield from connected(using)
    yield from short_sighted(using)


def writers(using: str) -> Iterator[CheckMessage]:
    """W120: somebody beside the owner may write the ledger's tables past its functions."""
    found = fetch(using, statement(__file__, "writers"), {"tables": list(LEDGER)})
    for table, role, rights in found:
        quoted = sql.Identifier(role).as_string() if role else "PUBLIC"
        text = f"{quoted} may {rights} on {table}, past the functions that keep the ledger true."
        hint = f"REVOKE ALL ON {table} FROM {quoted}; then again {GRANTS}."
        yield warning(120, text, hint)


def open_schemas(using: str) -> Iterator[CheckMessage]:
    """W121: everybody may make functions that a policy's expression could come to call."""
    for (name,) in fetch(using, statement(__file__, "open_schemas")):
        quoted = sql.Identifier(name).as_string()
        text = f"Everybody may CREATE in schema {quoted}, where triggers look names up."
        yield warning(121, text, f"REVOKE CREATE ON SCHEMA {quoted} FROM PUBLIC;")


def connected(using: str) -> Iterator[CheckMessage]:
    """I122: this process may do anything with the ledger, which only migrations need."""
    if settings.DEBUG or is_test_database(connections[using]):
        return
    table = {"table": Event._meta.db_table}
    for role, is_super, is_owner in fetch(using, statement(__file__, "connected"), table):
        if is_super or is_owner:
            what = "is a superuser" if is_super else "owns the ledger"
            hint = f"Only migrations need that; for the others: {GRANTS}."
            yield info(122, f"The role {role} of {using!r} {what}.", hint)


def short_sighted(using: str) -> Iterator[CheckMessage]:
    """W131: this role is not told how far replicas are behind, by which passes slow down."""
    if conf.THROTTLE is None or is_test_database(connections[using]):
        return
    for role, replicas in fetch(using, statement(__file__, "short_sighted")):
        text = f"The role {role} of {using!r} does not see how far {replicas} replicas are behind."
        hint = f"GRANT pg_read_all_stats TO {sql.Identifier(role).as_string()}; to the worker's."
        yield warning(131, text, hint)
