"""Databases that a test runner has made, and the clock that a test may set in one."""

from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import utils as test_utils

from lifecycle.db.connection import fetch, scalar
from lifecycle.db.sql import function_file


def is_test_database(connection: BaseDatabaseWrapper) -> bool:
    """Whether a test runner made this database for itself."""
    name = str(connection.settings_dict["NAME"])
    return hasattr(test_utils._TestState, "saved_data") and name.startswith("test_")


def clock_is_set(using: str) -> bool:
    """Whether a test has set the clock of this database."""
    return bool(scalar(using, "SELECT to_regclass('lifecycle.test_clock') IS NOT NULL"))


def reset_clock(using: str) -> None:
    """After a test that has set it; every flush comes here."""
    if clock_is_set(using):
        fetch(using, function_file("now_v1"))
        fetch(using, "DROP TABLE lifecycle.test_clock")
