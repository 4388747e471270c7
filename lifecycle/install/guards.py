"""The guards of the ledger: triggers by which it only grows."""

from functools import partial

from django.db import connections

from lifecycle.db.connection import fetch, scalar, statement
from lifecycle.db.sql import function_file
from lifecycle.db.table_lock import AGAINST_WRITERS, locked, qualified
from lifecycle.db.tables import PENDING
from lifecycle.db.test_databases import is_test_database
from lifecycle.install.triggers import FIRES, triggers_of
from lifecycle.models import Event

LEDGER = Event._meta.db_table
#: guard -> its table, and the file that makes it
GUARDS = {
    "lifecycle_event_guard_rows": (LEDGER, "guard_rows_trigger"),
    "lifecycle_pending_guard_rows": (PENDING, "guard_pending_rows_trigger"),
    "lifecycle_event_guard_truncate": (LEDGER, "guard_truncate_trigger"),
    "lifecycle_pending_guard_truncate": (PENDING, "guard_pending_truncate_trigger"),
}
TRUNCATE = {name for name in GUARDS if name.endswith("_truncate")}


def guard_truncate(using: str) -> None:
    """Let test runners flush their own databases, and only those.

    Asks first: the ALTER waits for every open transaction that has written to the ledger, and all
    other writers of tracked tables queue behind it.
    """
    verb, wanted = ("DISABLE", "D") if is_test_database(connections[using]) else ("ENABLE", "O")
    there = _there(using)
    for name in TRUNCATE:
        if there.get(name, wanted) != wanted:
            fetch(using, f"ALTER TABLE {GUARDS[name][0]} {verb} TRIGGER {name}")


def make_guards(using: str) -> list[str]:
    """Make the guards that are missing, switch on those that are off; returns their names."""
    there = _there(using)
    spared = TRUNCATE & there.keys() if is_test_database(connections[using]) else set[str]()
    off = [name for name in GUARDS if there.get(name) not in FIRES and name not in spared]
    for name in off:
        table = qualified(scalar(using, "SELECT current_schema()"), GUARDS[name][0])
        locked(using, table, AGAINST_WRITERS, partial(_make, using, name))
    return off


def _there(using: str) -> dict[str, str]:
    return {each.trigger: each.when for each in triggers_of(using, LEDGER, PENDING)}


def _make(using: str, name: str) -> None:
    schema = scalar(using, "SELECT quote_ident(current_schema())")
    table, file = GUARDS[name]
    fetch(using, function_file(file).replace("@tables@", schema))
    fetch(using, statement(__file__, "enable_guard", table=table, guard=name))
