"""Archives as the engine makes them, made at once from the rows of a table."""

import hashlib
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from psycopg import sql

from purge.archive.formats import FORMATS, Column, Row
from purge.archive.formats.base import SETTINGS
from purge.archive.manifest import SUFFIX, File, Manifest
from purge.archive.records import sha256_of

PREFIX = "old/"


def made(
    folder: Path, of: Any, formats: Sequence[str] = ("jsonl", "txt"), name: str = "",
    recorded: bool = True, **told: Any,
) -> Manifest:  # fmt: skip
    """An archive of every row of a model in a folder, with its manifest."""
    table, key = of._meta.db_table, of._meta.pk.column
    columns = columns_of(table)
    rows = rows_of(table, columns, key)
    at = [column.name for column in columns].index(key)
    ends = [{"key": row[at], "time": "2024-10-01T00:00:00+00:00"} for row in (rows or [(None,)])]
    manifest = Manifest(
        **{
            "name": name or f"{table}_20241001_to_20241227_20250127_040001",
            "policy": "tokens",
            "model": of._meta.label_lower,
            "table": table,
            "key": key,
            "rows": len(rows),
            "first": ends[0],
            "last": ends[-1],
            "made": "2025-01-27T04:00:01+00:00",
            "columns": columns,
        }
        | told
    )
    for form in formats:
        manifest.files.append(put(folder, manifest, form, rows))
    (folder / PREFIX / f"{manifest.name}{SUFFIX}").write_text(manifest.as_json())
    if recorded:
        record(manifest)
    return manifest


def record(manifest: Manifest) -> None:
    """Have the ledger know the archive as it is, as if rows had gone into it."""
    said = {"archive": manifest.name, "rows": manifest.rows, "verified": manifest.made}
    said["manifest"] = sha256_of(manifest.as_json())
    text = (
        "SELECT lifecycle.write_v1('archived', %s, %s, NULL, 0, NULL, NULL, NULL, %s::jsonb, NULL)"
    )
    with connection.cursor() as cursor:
        cursor.execute(text, [manifest.policy, manifest.model, json.dumps(said)])


def put(folder: Path, manifest: Manifest, form: str, rows: list[Row]) -> File:
    file = io.BytesIO()
    writer = FORMATS[form].writer(manifest.columns, file)
    writer.write(rows)
    writer.close()
    body = file.getvalue()
    name = f"{PREFIX}{manifest.name}{FORMATS[form].suffix}"
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(body)
    return File(form, name, len(body), hashlib.sha256(body).hexdigest())


def columns_of(table: str) -> list[Column]:
    text = (
        "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
        " WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
    )
    with connection.cursor() as cursor:
        cursor.execute(text, [sql.Identifier(table).as_string()])
        return [Column(*row) for row in cursor.fetchall()]


def rows_of(table: str, columns: Sequence[Column], key: str) -> list[Row]:
    """The values as text, in the order of the keys."""
    told = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(c.name)) for c in columns)
    text = sql.SQL("SELECT {} FROM {} ORDER BY {}").format(
        told, sql.Identifier(table), sql.Identifier(key)
    )
    with transaction.atomic(), connection.cursor() as cursor:
        for name, value in SETTINGS.items():
            cursor.execute("SELECT set_config(%s, %s, true)", [name, value])
        cursor.execute(text)
        return cursor.fetchall()
