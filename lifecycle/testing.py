"""For the tests of a host: set the clock, run the worker, write without capture.

Works in `TestCase`, `TransactionTestCase`, with pytest-django's `db` and `transactional_db`, and
with a live server. Refuses every database that a test runner did not make for itself.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime

from django.db import DEFAULT_DB_ALIAS, connections
from psycopg import sql

from lifecycle.capture import model_signals as receivers
from lifecycle.capture.triggers import registered
from lifecycle.db.connection import fetch, local_settings, scalar, statement
from lifecycle.db.tables import table_of, tables_in
from lifecycle.db.test_databases import clock_is_set, is_test_database
from lifecycle.exceptions import LifecycleError
from lifecycle.hooks import make_pass
from lifecycle.install.triggers import triggers_of
from lifecycle.ledger.partitions_due import list_partitions, partitioned_at

ABSENT = "Capture is absent: this database has no triggers on"

Ended = dict[str, dict[str, int]]


def run_until(when: datetime, using: str = DEFAULT_DB_ALIAS) -> Ended:
    """Do what the worker does until `when`: everything falls due at its own time, in order.

    Returns how many rows each policy has `tombstoned`, `purged`, `updated`, `kept`, ...: only what
    was recorded meanwhile. The clock that lifecycle goes by, also `live()`, says `when` from then
    on and until the test ends. Your own code's clock is left alone: freeze it as you are used to.

    Raises `LifecycleError` where capture is absent, for then nothing would ever fall due, and
    `CommandError` where a brake stops a policy.
    """
    if absent := without_capture(using):
        raise LifecycleError(f"{ABSENT} {', '.join(absent)}.")
    fetch(using, statement(__file__, "test_numbers"))
    last = scalar(using, "SELECT coalesce(max(id), 0) FROM lifecycle_event")
    # A batch shortens `lock_timeout` for its transaction, which in a `TestCase` is the test's.
    with local_settings(using, lock_timeout=None):
        due = next_due(using)
        while due and due <= when:
            set_clock(max(due, _now(using)), using)
            make_pass(using)
            before, due = due, next_due(using)
            if due == before:
                raise LifecycleError(
                    f"What fell due at {due} is still due: see `manage.py lifecycle status`."
                )
        set_clock(when, using)
        # Partitions are on no agenda before they are over.
        if sum(list_partitions(policy, using) for policy in partitioned_at(using)):
            make_pass(using)
    return _counts(last, using)


def set_clock(when: datetime, using: str = DEFAULT_DB_ALIAS) -> None:
    """The clock that lifecycle goes by says `when` and goes on from there, until the test ends."""
    _refuse_real(using)
    if not clock_is_set(using):
        fetch(using, statement(__file__, "test_clock"))
    fetch(using, statement(__file__, "test_clock_set"), {"now": when})


@contextmanager
def capture_off(using: str = DEFAULT_DB_ALIAS) -> Iterator[None]:
    """Nothing that is written inside is recorded, as if no trigger had seen it.

    For fixtures that build large tables, and for tests of what `lifecycle backfill` finds.
    """
    _refuse_real(using)
    triggers = _capture_triggers(using)
    with ExitStack() as stack:
        stack.enter_context(receivers.silent())
        _switch("DISABLE", triggers, using)
        yield
        _switch("ENABLE", triggers, using)


def without_capture(using: str = DEFAULT_DB_ALIAS) -> list[str]:
    """The tables whose triggers are not in the database: nothing written to them is recorded."""
    wanted = {table_of(model) for model, _ in registered()} & tables_in(using)
    return sorted(wanted - {table for table, _ in _capture_triggers(using)})


def _refuse_real(using: str) -> None:
    if not is_test_database(connections[using]):
        raise LifecycleError(f"{using!r} is not a database that a test runner made for itself.")


def _capture_triggers(using: str) -> list[tuple[str, str]]:
    """The capture triggers in the database, on partitions too: table and name."""
    names = {trigger.compile(model).sql.pgid for model, trigger in registered()}
    triggers = []
    for table in sorted({table_of(model) for model, _ in registered()} & tables_in(using)):
        rows = triggers_of(using, table)
        triggers += [(row.table, row.trigger) for row in rows if row.trigger in names]
    return triggers


def _switch(verb: str, chosen: list[tuple[str, str]], using: str) -> None:
    # An ALTER is refused while deferred foreign keys of the same transaction wait to be checked.
    fetch(using, "SET CONSTRAINTS ALL IMMEDIATE")
    for table, name in chosen:
        text = sql.SQL(f"ALTER TABLE {{}} {verb} TRIGGER {{}}")
        fetch(using, text.format(sql.Identifier(table), sql.Identifier(name)).as_string())
    fetch(using, "SET CONSTRAINTS ALL DEFERRED")


def _now(using: str) -> datetime:
    return scalar(using, "SELECT lifecycle.now_v1()")


def next_due(using: str = DEFAULT_DB_ALIAS) -> datetime | None:
    """The earliest time at which a policy that may act has something due."""
    return scalar(using, statement(__file__, "next_due"))


def _counts(since: int, using: str) -> Ended:
    counts: Ended = {}
    for policy, kind, rows in fetch(using, statement(__file__, "test_counts"), {"since": since}):
        counts.setdefault(policy, {})[kind] = rows
    return counts
