"""What is done after a test that commits: as Django's flush, but of the tables that have rows.

Emptying a hundred tables that are empty took most of the time of most tests; making the copy of
the policies anew took most of the rest. So that copy is kept as `migrate` leaves it, and put back
where triggers and functions are still the same; otherwise it is made anew.
"""

from typing import Any

from django.apps import apps
from django.db import connections, router
from psycopg import sql

from lifecycle.db.connection import scalar, statement
from lifecycle.db.test_databases import reset_clock
from lifecycle.install.after_migrate import after_migrate
from lifecycle.models import AgendaEntry, Event

#: what `migrate` fills, and no test changes
KEPT = {"django_content_type", "auth_permission"}
#: where the copies are
SCHEMA = "tests_kept"

# (database) -> what was installed when its copies were made
_installed: dict[str, str] = {}


def teardown(case: Any) -> None:
    """In the place of `TransactionTestCase._fixture_teardown`."""
    for alias in case._databases_names(include_mirrors=False):
        flush(alias)


def flush(alias: str) -> None:
    """Empty the tables of the models, but for what `migrate` writes about the policies."""
    _empty(alias, _filled(alias))
    before = _installed.get(_name(alias))
    if before:
        reset_clock(alias)  # what is installed is then as it was
        if before == _what_is_installed(alias):
            _put_back(alias)
            return
    after_migrate(apps.get_app_config("lifecycle"), using=alias)
    _keep(alias)


def _name(alias: str) -> str:
    return str(connections[alias].settings_dict["NAME"])


def _what_is_installed(alias: str) -> str:
    return str(scalar(alias, statement(__file__, "installed")))


def _filled(alias: str) -> list[str]:
    connection = connections[alias]
    names = connection.introspection.django_table_names(only_existing=True, include_views=False)
    with connection.cursor() as cursor:
        cursor.execute(_having_rows(sorted(set(names) - KEPT)))
        return [name for (name,) in cursor.fetchall()]


def _empty(alias: str, names: list[str]) -> None:
    if names:
        # A TRUNCATE of files is recorded before it: what it records is to go with it.
        ours = [m for m in (Event, AgendaEntry) if router.allow_migrate_model(alias, m)]
        every = sorted({*names, *(model._meta.db_table for model in ours)})
        tables = sql.SQL(", ").join(map(sql.Identifier, every))
        _run(alias, [sql.SQL("TRUNCATE {} CASCADE").format(tables)])


def _keep(alias: str) -> None:
    drop = sql.SQL("DROP SCHEMA IF EXISTS {0} CASCADE; CREATE SCHEMA {0}")
    copy = sql.SQL("CREATE TABLE {}.{} AS TABLE {}")
    schema = sql.Identifier(SCHEMA)
    tables = [sql.Identifier(name) for name in _filled(alias)]
    _run(alias, [drop.format(schema), *(copy.format(schema, t, t) for t in tables)])
    _installed[_name(alias)] = _what_is_installed(alias)


def _put_back(alias: str) -> None:
    """In one statement: functions that look at the tables see all of them or none."""
    connection = connections[alias]
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [SCHEMA])
        names = [sql.Identifier(name) for (name,) in cursor.fetchall()]
    one = sql.SQL("INSERT INTO {1} SELECT * FROM {0}.{1}")
    _run(alias, [one.format(sql.Identifier(SCHEMA), name) for name in names])


def _run(alias: str, statements: list[sql.Composed]) -> None:
    with connections[alias].cursor() as cursor:
        cursor.execute(sql.SQL("; ").join(statements).as_string())


def _having_rows(names: list[str]) -> str:
    one = sql.SQL("SELECT {} WHERE EXISTS (SELECT FROM {})")
    each = [one.format(sql.Literal(name), sql.Identifier(name)) for name in names]
    return sql.SQL(" UNION ALL ").join(each).as_string()
