"""Introspection."""

from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import utils as test_utils

LONGEST_NAME = 63  # bytes


def tables_in(using: str) -> set[str]:
    """The names of the tables that are there."""
    connection = connections[using]
    with connection.cursor() as cursor:
        return set(connection.introspection.table_names(cursor))


def is_test_database(connection: BaseDatabaseWrapper) -> bool:
    """Whether a test runner made this database for itself."""
    name = str(connection.settings_dict["NAME"])
    return hasattr(test_utils._TestState, "saved_data") and name.startswith("test_")


def table_of(model: Any) -> str:
    """A model's table as the catalogue has it."""
    return catalogue_name(model._meta.db_table)


def catalogue_name(name: str) -> str:
    """A name as the catalogue has it: PostgreSQL cuts one after 63 bytes."""
    return name.encode()[:LONGEST_NAME].decode(errors="ignore")
