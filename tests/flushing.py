"""What is done after a test that commits: as Django's flush, but of the tables that have rows.

Emptying a hundred tables that are empty took most of the time of most tests.
"""

from typing import Any

from django.apps import apps
from django.db import connections
from psycopg import sql

from lifecycle.sync import after_migrate

#: what `migrate` fills, and no test changes
KEPT = {"django_content_type", "auth_permission"}


def teardown(case: Any) -> None:
    """In the place of `TransactionTestCase._fixture_teardown`."""
    for alias in case._databases_names(include_mirrors=False):
        flush(alias)


def flush(alias: str) -> None:
    """Empty the tables of the models; `migrate`'s copy of the policies is made again."""
    connection = connections[alias]
    names = connection.introspection.django_table_names(only_existing=True, include_views=False)
    with connection.cursor() as cursor:
        cursor.execute(_having_rows(sorted(set(names) - KEPT)))
        filled = [sql.Identifier(name) for (name,) in cursor.fetchall()]
        if filled:
            text = sql.SQL("TRUNCATE {} CASCADE").format(sql.SQL(", ").join(filled))
            cursor.execute(text.as_string())
    after_migrate(apps.get_app_config("lifecycle"), using=alias)


def _having_rows(names: list[str]) -> str:
    one = sql.SQL("SELECT {} WHERE EXISTS (SELECT FROM {})")
    each = [one.format(sql.Literal(name), sql.Identifier(name)) for name in names]
    return sql.SQL(" UNION ALL ").join(each).as_string()
