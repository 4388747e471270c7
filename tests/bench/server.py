"""A database for one run, on the tests' embedded server or on the one that DATABASE_URL names."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg

from demo import environment
from lifecycle import embedded

ROOT = Path(__file__).resolve().parent.parent.parent
SERVER = ROOT / ".data" / "postgres-tests"
DURABLE_SERVER = ROOT / ".data" / "postgres-durable"

# The disk would hide what the triggers cost; both sides of every ratio run without it.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@contextmanager
def database(durable: bool = False) -> Iterator[None]:
    """Make the database and let DATABASE_URL name it, also for processes started meanwhile.

    `durable`: on an embedded server of its own, which waits for the disk.
    """
    given = environment.database()
    if given:
        with _made(given):
            yield
        return
    home, options = (DURABLE_SERVER, {}) if durable else (SERVER, FAST)
    with embedded.server(home, **options) as entry, _made(entry):
        yield


@contextmanager
def _made(entry: dict[str, Any]) -> Iterator[None]:
    name = f"bench_{secrets.token_hex(4)}"
    before = os.environ.get("DATABASE_URL")
    with _maintenance(entry) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    os.environ["DATABASE_URL"] = address(entry, name)
    try:
        yield
    finally:
        os.environ.pop("DATABASE_URL")
        if before:
            os.environ["DATABASE_URL"] = before
        with _maintenance(entry) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _maintenance(entry: dict[str, Any]) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(address(entry, entry["NAME"]), autocommit=True)


def address(entry: dict[str, Any], name: str) -> str:
    parts = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD"}
    options = {key: entry[part] for key, part in parts.items() if entry.get(part)}
    options |= dict(entry.get("OPTIONS") or {})
    query = "&".join(f"{key}={quote(str(value), safe='')}" for key, value in options.items())
    return f"postgres:///{name}?{query}"


def conninfo() -> str:
    """The database of this run, for a session beside Django's."""
    return os.environ["DATABASE_URL"]


def prepare() -> None:
    """Django, its tables and the triggers of the models; call it inside `database()`."""
    import django
    from django.core.management import call_command

    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.bench.settings"
    django.setup()
    import pgtrigger

    call_command("migrate", run_syncdb=True, verbosity=0)
    pgtrigger.install()


def sql(statement: str, *params: Any) -> list[tuple[Any, ...]]:
    """Run a statement on Django's connection."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement, params or None)
        return cursor.fetchall() if cursor.description else []


TABLES = (
    "plain", "tracked", "indexed", "windowed", "stamped", "graced", "kept", "keeper",
    "parent", "child", "plainparent", "plainchild", "plainkeyed", "keyed", "keyalone",
    "plainorder", "trackedorder",
)  # fmt: skip


def clear() -> None:
    """Empty rows, ledger and agenda past every trigger, and let autovacuum find nothing to do."""
    tables = ", ".join(f"bench_{name}" for name in TABLES)
    sql("SET session_replication_role = replica")
    ours = "lifecycle_event, lifecycle_agenda, lifecycle_exception, lifecycle_segment, purge_run"
    sql(f"TRUNCATE {tables}, {ours}")
    sql("UPDATE lifecycle_policy SET spent = '{}'")
    sql("SET session_replication_role = origin")


def settle() -> None:
    """Plans and visibility as after a quiet night."""
    sql("VACUUM (ANALYZE)")


def processor() -> int:
    """Nanoseconds that the backend of Django's connection was on the processor; 0: not known."""
    (pid,) = sql("SELECT pg_backend_pid()")[0]
    told = Path(f"/proc/{pid}/schedstat")
    return int(told.read_text().split()[0]) if told.exists() and _is_here() else 0


def _is_here() -> bool:
    from django.db import connection

    return str(connection.settings_dict["HOST"]).startswith("/")
