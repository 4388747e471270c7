"""Commands as a new user tries them, and what they are to print."""

import os
import re
from io import StringIO
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.db import connection

FOLDER = Path(__file__).parent / "golden"
DATES = re.compile(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2} UTC")


def manage(*arguments: str, **options: Any) -> str:
    """What a command prints."""
    out = StringIO()
    call_command(*arguments, stdout=out, **options)
    return out.getvalue()


def normal(text: str) -> str:
    """Without what differs from run to run: dates."""
    return DATES.sub("DATE", text)


def assert_golden(name: str, printed: str) -> None:
    """Compare with the file of that name; UPDATE_GOLDEN=1 writes it instead."""
    path, text = FOLDER / f"{name}.txt", normal(printed)
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text("utf-8")


def whole_database() -> dict[str, Any]:
    """Every row of every table of the demonstration, the ledger and the engine."""
    found = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(
                f"SELECT t::text FROM {connection.ops.quote_name(table)} AS t ORDER BY 1"
            )
            found[table] = cursor.fetchall()
    return found
