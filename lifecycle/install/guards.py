"""The guards of the ledger: triggers by which it only grows."""

from functools import partial

from django.db import connections

from lifecycle.db.connection import fetch, scalar, statement
from lifecycle.db.sql import function_file
from lifecycle.db.table_lock import AGAINST_WRITERS, locked, qualified
from lifecycle.db.test_databases import is_test_database
from lifecycle.install.triggers import FIRES, triggers_of
from lifecycle.models import Event

LEDGER = Event._meta.db_table
ROWS, TRUNCATE = "lifecycle_event_guard_rows", "lifecycle_event_guard_truncate"
FILES = {ROWS: "guard_rows_trigger", TRUNCATE: "guard_truncate_trigger"}


def guard_truncate(using: str) -> None:
    """Let test runners flush their own databases, and only those.

    Asks first: the ALTER waits for every open transaction that has written to the ledger, and all
    other writers of tracked tables queue behind it.
    """
    verb, wanted = ("DISABLE", "D") if is_test_database(connections[using]) else ("ENABLE", "O")
    there = {each.trigger: each.when for each in triggers_of(using, LEDGER)}
    if there.get(TRUNCATE, wanted) != wanted:
        fetch(using, f"ALTER TABLE {LEDGER} {verb} TRIGGER {TRUNCATE}")


def make_guards(using: str) -> list[str]:
    """Make the guards that are missing, switch on those that are off; returns their names."""
    there = {each.trigger: each.when for each in triggers_of(using, LEDGER)}
    spared = {TRUNCATE} & there.keys() if is_test_database(connections[using]) else set[str]()
    off = [name for name in FILES if there.get(name) not in FIRES and name not in spared]
    for name in off:
        table = qualified(scalar(using, "SELECT current_schema()"), LEDGER)
        locked(using, table, AGAINST_WRITERS, partial(_make, using, name))
    return off


def _make(using: str, name: str) -> None:
    schema = scalar(using, "SELECT quote_ident(current_schema())")
    fetch(using, function_file(FILES[name]).replace("@tables@", schema))
    fetch(using, statement(__file__, "enable_guard", table=LEDGER, guard=name))
