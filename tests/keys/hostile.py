"""Settings under which PostgreSQL writes values otherwise than it reads them, or shorter."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

SETTINGS = {
    "datestyle": "SQL, DMY",
    "intervalstyle": "sql_standard",
    "extra_float_digits": "-5",
    "bytea_output": "escape",
    "timezone": "America/New_York",
    "lc_monetary": "POSIX",
    "lc_numeric": "POSIX",
    "lc_time": "POSIX",
}
#: what psycopg needs to read times and durations at all; a check asks for it
READABLE = "-c datestyle=ISO,DMY -c intervalstyle=postgres"


@contextmanager
def session() -> Iterator[None]:
    """The session of the site under these settings."""
    run(*(f"SET {name} = '{value}'" for name, value in SETTINGS.items()))
    try:
        yield
    finally:
        run(*(f"RESET {name}" for name in SETTINGS), "SET timezone = 'UTC'")


@contextmanager
def database() -> Iterator[None]:
    """Every new session of the database under these settings, the worker's too."""
    name = connection.ops.quote_name(connection.settings_dict["NAME"])
    run(*(f"ALTER DATABASE {name} SET {key} = '{value}'" for key, value in SETTINGS.items()))
    options = connection.settings_dict["OPTIONS"]
    before = options.get("options")
    options["options"] = READABLE
    connection.close()
    try:
        yield
    finally:
        run(f"ALTER DATABASE {name} RESET ALL")
        options.pop("options")
        if before is not None:
            options["options"] = before
        connection.close()


def run(*texts: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("; ".join(texts))
