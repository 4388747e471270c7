"""A ledger that can be put back to what it was, as a restore does."""

from collections.abc import Callable, Iterator

import pytest
from django.db import transaction

from lifecycle.db.connection import fetch
from tests.purge.proof.support import USING

TABLES = ("lifecycle_event", "lifecycle_log", "lifecycle_seal", "lifecycle_agenda")


@pytest.fixture
def back_up() -> Iterator[Callable[[], Callable[[], None]]]:
    """Copies the ledger; what it gives puts the copy in the ledger's place, as a restore does."""
    made = []

    def copy() -> Callable[[], None]:
        schema = f"backup_{len(made)}"
        made.append(schema)
        fetch(USING, f"CREATE SCHEMA {schema}")
        for table in TABLES:
            fetch(USING, f"CREATE TABLE {schema}.{table} AS TABLE {table}")
        return lambda: put_back(schema)

    def put_back(schema: str) -> None:
        with transaction.atomic():
            fetch(USING, "SET LOCAL session_replication_role = replica")
            for table in TABLES:
                fetch(USING, f"DELETE FROM {table}")
                fetch(USING, f"INSERT INTO {table} SELECT * FROM {schema}.{table}")

    yield copy
    for schema in made:
        fetch(USING, f"DROP SCHEMA {schema} CASCADE")
