"""Checks of the settings that a connection of the site has from its role or database."""

from collections.abc import Iterator

from django.core.checks import CheckMessage
from django.db import connections

from lifecycle.checks.messages import error, warning
from lifecycle.db.connection import fetch, statement

#: what each setting begins with where all of it works, and what goes wrong otherwise
WANTED = {
    "DateStyle": ("ISO", "psycopg reads no times"),
    "IntervalStyle": ("postgres", "psycopg reads no durations"),
    "array_nulls": ("on", "a NULL in a list arrives as a text"),
    "standard_conforming_strings": ("on", "a backslash in a statement is not read as one"),
}

#: seconds that a limit should leave, where there is one: statements of the worker are short, but
#: what counts or looks at all rows of a table is one statement
ENOUGH = {
    "statement_timeout": 10,
    "transaction_timeout": 60,
    "idle_in_transaction_session_timeout": 10,
}


def limits(using: str) -> Iterator[CheckMessage]:
    """W133: what the connection sends is stopped soon, or may not write."""
    for name, seconds in fetch(using, statement(__file__, "limits"), {"names": list(ENOUGH)}):
        if 0 < seconds < ENOUGH[name]:
            text = f"{name} of {using!r} is {seconds:g} seconds: what takes longer is stopped."
            hint = f"For the worker's role: ALTER ROLE ... SET {name} = '{ENOUGH[name]}s', or 0."
            yield warning(133, text, hint)
    if fetch(using, statement(__file__, "read_only"))[0][0]:
        text = f"Transactions of {using!r} may only read: nothing is recorded, and nothing ends."
        hint = "RESET default_transaction_read_only of the role or database, when that is over."
        yield warning(133, text, hint)


def session(using: str) -> Iterator[CheckMessage]:
    """E115: a setting under which neither Django nor this package reads and writes values right."""
    asked = ", ".join(["current_setting(%s)"] * len(WANTED))
    with connections[using].cursor() as cursor:
        cursor.execute(f"SELECT {asked}", list(WANTED))
        values = cursor.fetchone()
    for (name, (wanted, why)), value in zip(WANTED.items(), values, strict=True):
        if value.split(",")[0] != wanted:
            text = f"{name} of {using!r} is {value!r}: {why}."
            hint = f'Add to DATABASES: "OPTIONS": {{"options": "-c {name}={wanted}"}}.'
            yield error(115, text, hint)
