"""Introspection."""

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import utils as test_utils


def tables_in(using: str) -> set[str]:
    """The names of the tables that are there."""
    connection = connections[using]
    with connection.cursor() as cursor:
        return set(connection.introspection.table_names(cursor))


def is_test_database(connection: BaseDatabaseWrapper) -> bool:
    """Whether a test runner made this database for itself."""
    name = str(connection.settings_dict["NAME"])
    return hasattr(test_utils._TestState, "saved_data") and name.startswith("test_")
