"""Rows to a file and back, as a backup and its restore do."""

from pathlib import Path

from django.db import connection, transaction


def dump(table: str, folder: Path) -> Path:
    """COPY a table to a file."""
    path = folder / f"{table}.copy"
    with connection.cursor() as cursor, cursor.cursor.copy(f"COPY {table} TO STDOUT") as copy:
        path.write_bytes(b"".join(map(bytes, copy)))
    return path


def load(path: Path, triggers: bool) -> None:
    """COPY the file back; without triggers as `session_replication_role = replica` does it."""
    with transaction.atomic(), connection.cursor() as cursor:
        if not triggers:
            cursor.execute("SET LOCAL session_replication_role = replica")
        with cursor.cursor.copy(f"COPY {path.stem} FROM STDIN") as copy:
            copy.write(path.read_bytes())
