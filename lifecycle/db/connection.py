"""The one way this package talks to PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connections, transaction
from psycopg import sql

from lifecycle.db.sql import load


def fetch(
    using: str, statement: str, params: dict[str, Any] | None = None
) -> list[tuple[Any, ...]]:
    """Run a statement and return its rows; none for a statement that gives none."""
    with connections[using].cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.fetchall() if cursor.description else []


def scalar(using: str, statement: str, params: dict[str, Any] | None = None) -> Any:
    """The first column of the first row."""
    return fetch(using, statement, params)[0][0]


READ_COMMITTED = "SET TRANSACTION ISOLATION LEVEL READ COMMITTED"


@contextmanager
def own_transaction(using: str) -> Iterator[None]:
    """An outermost transaction of which each statement sees what others have committed by then.

    So that a look after a lock is later than the lock, whichever isolation the site has chosen.
    """
    with transaction.atomic(using=using, durable=True):
        fetch(using, READ_COMMITTED)
        yield


def statement(module: str, name: str, **parts: Any) -> str:
    """A module's statement with its `{names}` filled: identifiers quoted, `Raw` as it is.

    `Raw` text was compiled by the ORM and holds no placeholders of its own, so its `%` is doubled.
    """
    ready = {name: part(value) for name, value in parts.items()}
    return sql.SQL(load(module, name)).format(**ready).as_string()


@contextmanager
def limited(using: str, seconds: float) -> Iterator[None]:
    """Statements inside are stopped after so long: an `OperationalError` that `was_stopped`."""
    setting = "SELECT set_config('statement_timeout', %(limit)s, true)"
    with transaction.atomic(using=using):
        before = scalar(using, "SELECT current_setting('statement_timeout')")
        fetch(using, setting, {"limit": f"{int(seconds * 1000)}ms"})
        yield
        fetch(using, setting, {"limit": before})


def was_stopped(error: BaseException) -> bool:
    """Whether an error is that a statement came to its timeout."""
    return getattr(error.__cause__, "sqlstate", None) == "57014"


class Raw(str):
    """SQL that was compiled and quoted before, without placeholders."""

    __slots__ = ()


class Placed(Raw):
    """SQL of our own that holds placeholders, which stay as they are."""

    __slots__ = ()


def part(value: Any) -> sql.Composable:
    """What fills one `{name}` of a statement."""
    if isinstance(value, Placed):
        return sql.SQL(value)
    if isinstance(value, Raw):
        return sql.SQL(value.replace("%", "%%"))
    return sql.Identifier(value)
