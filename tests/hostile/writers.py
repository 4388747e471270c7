"""Ways in which a host writes: each leaves the same rows, whatever it wrote before.

SQL is written by a session of the site's role; the ORM's connection has logged in as that role too.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from psycopg import Connection, sql

from tests.hostile.models import Host

HOSTILE = """
    SET DateStyle = 'SQL, DMY'; SET IntervalStyle = sql_standard; SET extra_float_digits = -3;
    SET bytea_output = escape; SET TimeZone = 'Asia/Kathmandu'; SET search_path = pg_temp;
    SET array_nulls = off; SET standard_conforming_strings = off; SET lc_monetary = 'C';
    SET enable_seqscan = off; SET default_transaction_isolation = serializable
"""


@dataclass(frozen=True)
class Row:
    """A row as it has to be in the end."""

    key: Any
    note: str
    stuck: bool
    ends: datetime


Write = Callable[[Host, Connection[Any], list[Row]], None]


def create(host: Host, site: Connection[Any], rows: list[Row]) -> None:
    """`save()`, one by one."""
    for each in _instances(host, rows):
        each.save(force_insert=True)


def bulk_create(host: Host, site: Connection[Any], rows: list[Row]) -> None:
    """`bulk_create()`, or one by one where Django cannot."""
    if host.form.model == "child":
        create(host, site, rows)
    else:
        host.model.objects.bulk_create(_instances(host, rows))


def raw_sql(host: Host, site: Connection[Any], rows: list[Row]) -> None:
    """One INSERT of several rows."""
    _insert(host, site, rows, host.form.direct)


def copy(host: Host, site: Connection[Any], rows: list[Row]) -> None:
    """COPY ... FROM STDIN, where PostgreSQL takes it."""
    if "ROW LEVEL SECURITY" in host.form.after:
        return raw_sql(host, site, rows)
    for table, columns in parts_of(host, host.form.direct):
        text = sql.SQL(f"COPY {table} ({', '.join(columns)}) FROM STDIN")
        with site.cursor().copy(text) as stream:
            for row in rows:
                stream.write_row([values_of(host, row)[column] for column in columns])


def update_of_the_end(host: Host, site: Connection[Any], rows: list[Row]) -> None:
    """Written with another row's end, which is then corrected."""
    _insert(host, site, _with_other_ends(rows))
    table, columns = parts_of(host)[-1]
    for row in rows:
        site.execute(
            sql.SQL(f"UPDATE {table} SET {columns[-1]} = %s WHERE id = %s::{host.key.db_type}"),
            [row.ends, host.key.stored(row.key)],
        )


def update_of_the_key(host: Host, site: Connection[Any], rows: list[Row]) -> None:
    """Written under other keys."""
    others = [host.key.value(99 - at) for at in range(len(rows))]
    _insert(host, site, [replace(row, key=key) for row, key in zip(rows, others, strict=True)])
    table, _ = parts_of(host)[0]
    text = f"UPDATE {table} SET id = %s::{host.key.db_type} WHERE id = %s::{host.key.db_type}"
    for row, key in zip(rows, others, strict=True):
        site.execute(sql.SQL(text), [host.key.stored(row.key), host.key.stored(key)])


def key_spelled_otherwise(host: Host, site: Connection[Any], rows: list[Row]) -> None:
    """The key is set to one that is equal, and looks otherwise."""
    _insert(host, site, rows)
    table, _ = parts_of(host)[0]
    text = f"UPDATE {table} SET id = {host.key.otherwise} WHERE note = ANY (%s)"
    site.execute(sql.SQL(text), [[row.note for row in rows]])


def delete_and_write_again(host: Host, site: Connection[Any], rows: list[Row]) -> None:
    """Under the key of a row with another end."""
    _insert(host, site, _with_other_ends(rows))
    for table, _ in reversed(parts_of(host)):
        text = f"DELETE FROM {table} WHERE id = ANY (%s::{host.key.db_type}[])"
        site.execute(sql.SQL(text), [[host.key.stored(row.key) for row in rows if not row.stuck]])
    _insert(host, site, [row for row in rows if not row.stuck])


def prepared(host: Host, site: Connection[Any], rows: list[Row]) -> None:
    """A prepared statement, used for each row."""
    for row in rows:
        _insert(host, site, [row], prepare=True)


def hostile_session(host: Host, site: Connection[Any], rows: list[Row]) -> None:
    """A session whose settings make other texts of the same values."""
    site.execute(HOSTILE)
    try:
        _insert(host, site, rows)
        table, _ = parts_of(host)[0]
        site.execute(
            sql.SQL(f"UPDATE {table} SET note = note WHERE note = ANY (%s)"),
            [[row.note for row in rows]],
        )
    finally:
        site.execute("RESET ALL")


WRITERS: list[Write] = [
    create,
    bulk_create,
    raw_sql,
    copy,
    update_of_the_end,
    update_of_the_key,
    key_spelled_otherwise,
    delete_and_write_again,
    prepared,
    hostile_session,
]


def parts_of(host: Host, direct: str = "") -> list[tuple[str, list[str]]]:
    """The tables that a row is written to, with their columns."""
    end = "ends" if host.form.model == "generated" else "expires_at"
    if host.form.model == "child":
        return [
            (f"public.{host.name}_base", ["id", "note", "stuck"]),
            (host.table, ["id", "expires_at"]),
        ]
    return [(host.fill(direct) or host.table, ["id", "note", "stuck", end])]


def values_of(host: Host, row: Row) -> dict[str, Any]:
    """By column."""
    common = {"id": host.key.stored(row.key), "note": row.note, "stuck": row.stuck}
    return {**common, "ends": row.ends, "expires_at": row.ends}


def _insert(
    host: Host, site: Connection[Any], rows: Iterable[Row], direct: str = "", **options: Any
) -> None:
    for table, columns in parts_of(host, direct):
        marks = [f"%s::{host.key.db_type}", *["%s"] * (len(columns) - 1)]
        given = [values_of(host, row)[column] for row in rows for column in columns]
        lines = ", ".join(f"({', '.join(marks)})" for _ in rows)
        text = f"INSERT INTO {table} ({', '.join(columns)}) VALUES {lines}"
        site.execute(sql.SQL(text), given, **options)


def _with_other_ends(rows: list[Row]) -> list[Row]:
    """Those that end now later, and those that end later now; what is stuck as it has to be."""
    due, later = min(row.ends for row in rows), max(row.ends for row in rows)
    other = {due: later, later: due}
    return [row if row.stuck else replace(row, ends=other[row.ends]) for row in rows]


def _instances(host: Host, rows: list[Row]) -> list[Any]:
    end = "ends" if host.form.model == "generated" else "expires_at"
    return [
        host.model(id=row.key, note=row.note, stuck=row.stuck, **{end: row.ends}) for row in rows
    ]
