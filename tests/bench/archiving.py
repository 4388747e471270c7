"""Archives: the whole way of a row, against only copying it, and against what people write."""

import gzip
import json
import tempfile
from collections.abc import Callable
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

from tests.bench.rounds import Plan, Result, over, paired, timed
from tests.bench.server import settle, sql

ROUNDS = 3  # each is tens of seconds


def measure(plan: Plan) -> None:
    """Audit logs to a bucket of a real server: due -> written, read back, compared, deleted."""
    from django.test import override_settings

    from tests.s3 import swift

    making: list[float] = []
    parquet: list[float] = []
    some = Plan(rounds=min(ROUNDS, plan.rounds), rows=plan.rows)
    with swift.running() as server:
        bucket = server.bucket()
        sides = [
            lambda: copied(bucket),
            lambda: dumped(bucket),
            lambda: archived(some.rows, making),
            lambda: archived(some.rows, parquet, ("parquet",)),
        ]
        with override_settings(**bucket.settings):
            # Ours takes the rows: each side has its own.
            copy, dump, ours, _ = paired(some, *[_filled(side, some.rows) for side in sides])
    plan.add(
        Result("archive made, against COPY, gzip and upload", over(copy, making), ">= 0.6"),
        Result("archive made, parquet, against the same", over(copy, parquet), ">= 1.0"),
        Result("archive, the whole way, against the same", over(copy, ours), ">= 0.4"),
        Result("archive made, against json.dumps(list(values()))", over(dump, making)),
        Result("archive, rows a second", [some.rows / each for each in ours], unit="rows/s"),
        Result("archive, of the table", [megabytes(some.rows) / s for s in ours], unit="MB/s"),
    )
    _clear()


def _filled(side: Callable[[], float], rows: int) -> Callable[[], float]:
    def run() -> float:
        fill(rows)
        settle()
        return side()

    return run


def fill(rows: int) -> None:
    """Audit logs of the month before the last, as a site has them."""
    _clear()
    sql(
        "INSERT INTO bench_logged (created_at, actor, action, target, ip, detail)"
        " SELECT now() - interval '90 days' + i * interval '10 s', 'user-' || i % 500, 'update',"
        " 'demo.Service:' || i, '192.0.2.7', jsonb_build_object('field', 'title', 'number', i)"
        f" FROM generate_series(1, {rows}) AS i"
    )


def megabytes(rows: int) -> float:
    """What `rows` of them are in the table, without its indexes."""
    fill(rows)
    return float(sql("SELECT pg_table_size('bench_logged')")[0][0]) / 1e6


def archived(
    rows: int, making: list[float] | None = None, formats: tuple[str, ...] = ("jsonl",)
) -> float:
    """One pass of the policy; all rows are in verified archives and gone, or it does not count.

    `making` gets the seconds in which the files were written, put and read back.
    """
    from unittest.mock import patch

    from lifecycle.policy.registry import get_policy
    from purge.archiving import due
    from purge.runner import run_policy

    make, spent = due.make, []
    policy = get_policy("bench-logged")
    with (
        patch.object(due, "make", lambda *given: spent.append(timed(lambda: make(*given)))),
        patch.object(policy.disposition, "formats", formats),
    ):
        taken = timed(lambda: run_policy(policy))
    if making is not None:
        making.append(sum(spent))
    assert sql("SELECT count(*) FROM bench_logged") == [(0,)]
    assert sql("SELECT sum(count) FROM lifecycle_event WHERE kind = 'archived'") == [(rows,)]
    return taken


def copied(bucket: Any) -> float:
    """COPY through the same compression, then an upload; nothing is read back or deleted."""
    from django.db import connection

    def write(file: Any) -> None:
        with connection.cursor() as cursor, cursor.copy("COPY bench_logged TO STDOUT") as rows:
            for part in rows:
                file.write(bytes(part))

    return timed(lambda: _upload(bucket, "copied.gz", write))


def dumped(bucket: Any) -> float:
    """All rows as objects of Python, in one text."""
    from tests.bench.models import Logged

    def write(file: Any) -> None:
        rows = list(Logged.objects.values())
        file.write(json.dumps(rows, cls=DjangoJSONEncoder).encode())

    return timed(lambda: _upload(bucket, "dumped.gz", write))


def _upload(bucket: Any, name: str, write: Callable[[Any], None]) -> None:
    with tempfile.TemporaryFile() as file:
        with gzip.GzipFile("", "wb", compresslevel=6, fileobj=file, mtime=0) as packed:
            write(packed)
        file.seek(0)
        bucket.client.put_object(Bucket=bucket.name, Key=name, Body=file)


def _clear() -> None:
    sql("SET session_replication_role = replica")
    sql(
        "TRUNCATE bench_logged, purge_archive, purge_archive_part, lifecycle_event,"
        " lifecycle_agenda, lifecycle_exception, purge_run"
    )
    sql("UPDATE lifecycle_policy SET spent = '{}'")
    sql("SET session_replication_role = origin")
