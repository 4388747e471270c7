"""What the database knows of tables without reading them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from lifecycle.db.connection import fetch, statement
from lifecycle.db.tables import quoted

#: Nothing is written, and nobody is waited for: a table that somebody locks is left out.
ONLY_LOOKS = """SET TRANSACTION READ ONLY; SET LOCAL lock_timeout = '300ms';
    SET LOCAL statement_timeout = '10s'"""


@dataclass(frozen=True)
class Table:
    """One table, with all its partitions.

    rows      about how many, None where nobody has counted
    bytes     with indexes and long values, as the catalogue has it
    inserted  rows since the counters began, which was at `since`; None where nobody knows when
    readable  whether this role may SELECT from it
    columns   those that the planner has statistics of
    """

    rows: int | None
    bytes: int
    inserted: int
    since: datetime | None
    readable: bool
    columns: frozenset[str]


@contextmanager
def only_looking(using: str) -> Iterator[None]:
    """A transaction that can write nothing and waits for no lock."""
    with transaction.atomic(using=using, durable=True):
        fetch(using, ONLY_LOOKS)
        yield


def tables_of(models: list[Any], using: str) -> dict[Any, Table]:
    """Of the models whose tables are there; asked by two statements, whatever their number."""
    names = dict(zip(quoted(using, models), models, strict=True))
    params = {"tables": [*names]}
    columns: dict[str, set[str]] = {name: set() for name in names}
    for name, column in fetch(using, statement(__file__, "columns"), params):
        columns[name].add(column)
    found = fetch(using, statement(__file__, "tables"), params)
    return {
        names[name]: Table(rows, size, inserted, since, readable, frozenset(columns[name]))
        for name, rows, size, inserted, since, readable in found
    }
