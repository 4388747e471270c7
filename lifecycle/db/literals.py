"""Values written into compiled SQL, without a connection.

`makemigrations` and `check` must work with the database down, so psycopg's `compose_sql` (which
asks the server) cannot be used. Durations are written in seconds: psycopg's own form of
`timedelta(hours=24)` is `'1 day'`, which is 25 hours in one night a year.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from psycopg import sql


def inline(statement: str, params: tuple[Any, ...]) -> str:
    """The statement with its `%s` replaced by quoted literals."""
    return statement % tuple(literal(param) for param in params)


def literal(value: Any) -> str:
    """One value as SQL text, quoted by psycopg."""
    if isinstance(value, timedelta):
        return sql.Literal(f"{value / timedelta(seconds=1):.6f} seconds").as_string() + "::interval"
    return sql.Literal(value).as_string()


def array_text(keys: Iterable[Any]) -> str:
    """PostgreSQL's text form of an array of keys."""
    quoted = (str(key).replace("\\", "\\\\").replace('"', '\\"') for key in keys)
    return "{" + ",".join(f'"{key}"' for key in quoted) + "}"
