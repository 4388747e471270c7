"""Time passes without waiting: everything that the database remembers becomes older.

The clock of a database cannot be moved, but all that is stored can: after `pass_time(hours=2)` each
row, event, entry and exception is as it would be two hours later. Windows stay windows after a
multiple of their size only.
"""

from datetime import timedelta
from typing import Any

from django.db import connection, transaction

from lifecycle.policy.media_fields import file_fields, watched

PREFIXES = ("lifecycle_", "purge_", "zoo_", "cascades_", "demo_", "audit_logs")
#: `lifecycle_pending` is a part of both, and is gone through by itself
WITH_PARTS = ("lifecycle_event", "lifecycle_agenda")
COLUMNS = """
SELECT table_name, column_name FROM information_schema.columns
JOIN information_schema.tables USING (table_schema, table_name)
WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'
AND data_type = 'timestamp with time zone' AND table_name LIKE ANY (%s)
"""
UNTIL = """
UPDATE lifecycle_event
SET detail = detail || (SELECT jsonb_object_agg(key, value::timestamptz - %s)
                        FROM jsonb_each_text(detail) WHERE key IN (
                            'until', 'since', 'verified', 'received', 'deadline', 'ended', 'ends'))
WHERE detail ->> 'until' IS NOT NULL OR detail ?| '{since,verified,received,deadline,ended,ends}'
"""
WINDOWS = """
UPDATE lifecycle_event SET detail = detail
    || CASE WHEN detail ? 'window'
        THEN jsonb_build_object('window', (detail ->> 'window')::timestamptz - %s) ELSE '{}' END
    || CASE WHEN detail ? 'windows' THEN jsonb_build_object('windows', (
        SELECT jsonb_agg(told::timestamptz - %s)
        FROM jsonb_array_elements_text(detail -> 'windows') AS told)) ELSE '{}' END
WHERE detail ? 'window' OR detail ? 'windows'
"""
SPENT = """
UPDATE lifecycle_policy SET spent = (
    SELECT jsonb_object_agg(found[1] || to_char((found[2] || ':00')::timestamp - %s,
                                                'YYYY-MM-DD"T"HH24') || found[3], value)
    FROM jsonb_each(spent), regexp_match(key, '^(.*)([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2})(.*)$')
        AS found)
WHERE spent <> '{}'
"""
DAYS = """
UPDATE lifecycle_segment SET days = lifecycle.days_v1(first, last) WHERE model = ''
"""


def pass_time(**span: float) -> None:
    """Make everything older by a timedelta's arguments; whole hours keep the seconds."""
    delta = timedelta(**span)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(COLUMNS, [[f"{prefix}%" for prefix in PREFIXES]])
        columns: dict[str, list[str]] = {}
        for table, column in cursor.fetchall():
            columns.setdefault(table, []).append(column)
        for table, names in columns.items():
            setting = ", ".join(f'"{name}" = "{name}" - %s' for name in names)
            only = "ONLY" if table in WITH_PARTS else ""
            cursor.execute(f'UPDATE {only} "{table}" SET {setting}', [delta] * len(names))
        for model, name in _files():
            # Written with the events of files, that no row seems to have been there before those.
            cursor.execute(f'UPDATE "{model._meta.db_table}" SET "{name}" = "{name}"')
        cursor.execute(UNTIL, [delta])
        cursor.execute(WINDOWS, [delta, delta])
        cursor.execute(SPENT, [delta])
        cursor.execute(DAYS)


def _files() -> list[tuple[Any, str]]:
    """The tables whose files are watched, each with a column."""
    models = [each.model for each in watched()]
    return [(model, str(file_fields(model)[0].column)) for model in models]
