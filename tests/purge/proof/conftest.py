"""A ledger that can be put back to what it was, as a restore does; a witness that listens."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import transaction

from lifecycle.db.connection import fetch
from lifecycle.witness import state
from lifecycle.witness.protocol import Witness
from lifecycle.witness.server import server
from lifecycle.witness.state import State
from tests.purge.proof.support import LOG, USING, WITNESS

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


@pytest.fixture
def remembered(tmp_path: Path) -> Iterator[State]:
    """What the witness has signed."""
    path = str(tmp_path / "witness.json")
    state.create(path)
    with state.opened(path) as found:
        yield found


@pytest.fixture
def witness(remembered: State) -> Iterator[str]:
    """A witness that listens; its address."""
    listening = server(("127.0.0.1", 0), Witness(WITNESS, {LOG.name: [LOG]}, remembered))
    thread = threading.Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listening.server_port}"
    listening.shutdown()
    listening.server_close()
    thread.join()
