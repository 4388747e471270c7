"""Events as a superuser could write them."""

from lifecycle.db.connection import fetch

BASE: dict[str, str] = {
    "kind": "'purged'", "policy": "''", "model": "'zoo.token'", "count": "1",
    "recorded_at": "'2026-05-01 10:00:00.123456+02'", "cause": "''", "actor": "''",
    "detail": "'{}'",
}  # fmt: skip


def write(columns: dict[str, str]) -> int:
    """An event of these columns, given as SQL; its number."""
    whole = BASE | columns
    text = f"INSERT INTO lifecycle_event ({', '.join(whole)}) VALUES ({', '.join(whole.values())})"
    return int(fetch("default", f"{text} RETURNING id".replace("%", "%%"))[0][0])
