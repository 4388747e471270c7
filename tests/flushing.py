"""What is done after a test that commits: as Django's flush, but of the tables that have rows.

Emptying a hundred tables that are empty took most of the time of most tests; making the copy of
the policies anew took most of the rest. So that copy is kept as `migrate` leaves it, and put back
where triggers and functions are still the same; otherwise it is made anew. One look tells which
tables have pages and whether the catalogue was written to; only then is it read.
"""

from functools import cache
from typing import Any, NamedTuple

from django.apps import apps
from django.db import connections, router
from psycopg import sql

from lifecycle.db.connection import fetch, scalar, statement
from lifecycle.db.tables import PENDING
from lifecycle.db.test_databases import reset_clock
from lifecycle.install.after_migrate import after_migrate
from lifecycle.models import AgendaEntry, Event
from tests import sessions

#: what `migrate` fills, and no test changes
KEPT = {"django_content_type", "auth_permission"}
#: where the copies are
SCHEMA = "tests_kept"


class Copies(NamedTuple):
    """What was copied, and what was installed then.

    tables     that have a copy
    installed  triggers, functions and columns
    written    the transactions that wrote those
    """

    tables: list[str]
    installed: str
    written: str


# (database) -> its copies
_copies: dict[str, Copies] = {}


def teardown(case: Any) -> None:
    """In the place of `TransactionTestCase._fixture_teardown`."""
    aliases = case._databases_names(include_mirrors=False)
    for alias in aliases:
        flush(alias)
    sessions.hand_on({*aliases})


def reloads(case: Any) -> bool:
    """In the place of `_should_reload_connections`: `teardown` has done it."""
    return False


def flush(alias: str) -> None:
    """Empty the tables of the models, but for what `migrate` writes about the policies."""
    copies = _copies.get(_name(alias))
    timed, written, filled = _look(alias)
    if timed:
        reset_clock(alias)  # what is installed is then as it was
    if copies and (written == copies.written or _as_it_was(alias, copies)):
        _run(alias, [*_emptied(alias, filled), *map(_back, copies.tables)])
        return
    _run(alias, _emptied(alias, filled))
    after_migrate(apps.get_app_config("lifecycle"), using=alias)
    _keep(alias)


def _name(alias: str) -> str:
    return str(connections[alias].settings_dict["NAME"])


def _look(alias: str) -> tuple[bool, str, list[str]]:
    """Whether the clock is set, who wrote what is installed, and the tables that have pages."""
    [found] = fetch(alias, statement(__file__, "look"), {"names": _tables()})
    return found


@cache
def _tables() -> list[str]:
    models = apps.get_models(include_auto_created=True)
    ours = {model._meta.db_table for model in models if model._meta.managed}
    return sorted(ours - KEPT)


def _as_it_was(alias: str, copies: Copies) -> bool:
    """Whether what was written to the catalogue has changed nothing."""
    if _what_is_installed(alias) != copies.installed:
        return False
    _copies[_name(alias)] = copies._replace(written=_look(alias)[1])
    return True


def _what_is_installed(alias: str) -> str:
    return str(scalar(alias, statement(__file__, "installed")))


def _emptied(alias: str, filled: list[str]) -> list[sql.Composed]:
    if not filled:
        return []
    # A TRUNCATE of files is recorded before it: what it records is to go with it.
    ours = [m._meta.db_table for m in (Event, AgendaEntry) if router.allow_migrate_model(alias, m)]
    # Both parents before their part: an autovacuum that analyses one of them locks the part next.
    ours += [PENDING] if ours else []
    alone = [sql.SQL("ONLY {}").format(sql.Identifier(name)) for name in ours]
    others = [sql.Identifier(name) for name in sorted({*filled} - {*ours})]
    return [sql.SQL("TRUNCATE {} CASCADE").format(sql.SQL(", ").join([*alone, *others]))]


def _keep(alias: str) -> None:
    drop = sql.SQL("DROP SCHEMA IF EXISTS {0} CASCADE; CREATE SCHEMA {0}")
    copy = sql.SQL("CREATE TABLE {}.{} AS TABLE {}")
    schema = sql.Identifier(SCHEMA)
    names = _look(alias)[2]
    tables = [sql.Identifier(name) for name in names]
    _run(alias, [drop.format(schema), *(copy.format(schema, t, t) for t in tables)])
    _copies[_name(alias)] = Copies(names, _what_is_installed(alias), _look(alias)[1])


def _back(name: str) -> sql.Composed:
    table = sql.Identifier(name)
    return sql.SQL("INSERT INTO {1} SELECT * FROM {0}.{1}").format(sql.Identifier(SCHEMA), table)


def _run(alias: str, statements: list[sql.Composed]) -> None:
    """In one go: functions that look at the tables see all of them or none."""
    with connections[alias].cursor() as cursor:
        cursor.execute(sql.SQL("; ").join(statements).as_string())
