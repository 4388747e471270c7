"""A check of the settings that a connection of the site has from its role or database."""

from collections.abc import Iterator

from django.core.checks import CheckMessage
from django.db import connections

from lifecycle.checks.messages import error

#: what each setting begins with where all of it works, and what goes wrong otherwise
WANTED = {
    "DateStyle": ("ISO", "psycopg reads no times"),
    "IntervalStyle": ("postgres", "psycopg reads no durations"),
    "array_nulls": ("on", "a NULL in a list arrives as a text"),
    "standard_conforming_strings": ("on", "a backslash in a statement is not read as one"),
}


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
