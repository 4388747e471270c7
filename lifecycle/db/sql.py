"""SQL as text: a module's statements, the database's functions, values written into a statement.

In the `.sql` file beside a module each statement begins with a line `-- name: <name>`. Values are
quoted without a connection: `makemigrations` and `check` must work with the database down, so
psycopg's `compose_sql` (which asks the server) cannot be used. Durations are written in seconds:
psycopg's own form of `timedelta(hours=24)` is `'1 day'`, which is 25 hours in one night a year.
"""

import re
from collections.abc import Iterable
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from psycopg import sql


@cache
def load(module: str, name: str) -> str:
    """The statement `name` of the `.sql` file beside a module's file; comments kept."""
    return _statements(Path(module).with_suffix(".sql"))[name]


@cache
def fixed(module: str, name: str) -> str:
    """A statement in which nothing has to be filled, as it is run."""
    return sql.SQL(load(module, name)).format().as_string()


@cache
def _statements(path: Path) -> dict[str, str]:
    _, *parts = re.split(r"^-- name: (\w+)\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    texts = (part.rstrip("\n") + "\n" for part in parts[1::2])
    return dict(zip(parts[::2], texts, strict=True))


@cache
def function_file(name: str) -> str:
    """A file of `functions/`; `@tables@` in it is the schema of the tables."""
    path = Path(__file__).parent.parent / "functions" / f"{name}.sql"
    return path.read_text(encoding="utf-8")


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
