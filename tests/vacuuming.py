"""A table that autovacuum leaves alone: its statistics are those that the test has made."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


def execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


@contextmanager
def unvacuumed(table: str) -> Iterator[None]:
    """Nobody vacuums or analyses the table meanwhile, and what is said of it is said at once."""
    name = connection.ops.quote_name(table)
    # First, since a run of autovacuum that is under way ends for the lock that ALTER TABLE takes.
    execute(f"ALTER TABLE {name} SET (autovacuum_enabled = false)")
    try:
        execute(f"VACUUM ANALYZE {name}")
        yield
    finally:
        execute(f"ALTER TABLE {name} RESET (autovacuum_enabled)")
