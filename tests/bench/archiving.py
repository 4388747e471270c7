"""Archives: the whole way of a row, against only copying it, and against what people write."""

import gzip
import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

from tests.bench.rounds import Plan, Result, Spent, over, paired, spent, timed
from tests.bench.server import settle, sql

ROUNDS = 3  # each is tens of seconds
FORMATS = {"": ("jsonl",), ", zstd": ("jsonlzst",), ", parquet": ("parquet",)}
MADE = {"": ">= 0.6", ", zstd": ">= 0.6", ", parquet": ">= 1.0"}


def measure(plan: Plan) -> None:
    """Audit logs to a bucket of a real server: due -> written, read back, compared, deleted."""
    from django.test import override_settings

    from tests.s3 import swift

    making: dict[str, list[Spent]] = {name: [] for name in FORMATS}
    storing: list[float] = []
    some = Plan(rounds=min(ROUNDS, plan.rounds), rows=plan.rows)
    with swift.running() as server:
        bucket = server.bucket()
        sides = [lambda: copied(bucket), lambda: dumped(bucket)]
        sides += [partial(archived, some.rows, making[name], FORMATS[name]) for name in FORMATS]
        with override_settings(**bucket.settings), at_the_store(storing):
            # Ours takes the rows: each side has its own.
            copy, dump, *ours = paired(some, *[_filled(side, some.rows) for side in sides])
    for name, whole in zip(FORMATS, ours, strict=True):
        made = f"archive made{name}, against COPY, gzip and upload"
        add_shares(plan, made, copy, making[name], MADE[name])
        add_shares(plan, f"archive{name}, the whole way, against the same", copy, whole, ">= 0.4")
    add_shares(plan, "archive made, against json.dumps(list(values()))", dump, making[""])
    clocks = [each.clock for each in ours[0]]
    whole_ways = sum(each.clock for way in ours for each in way)
    plan.add(
        Result("archive, share of the whole way at the store", [sum(storing) / whole_ways]),
        Result("archive, rows a second", [some.rows / each for each in clocks], unit="rows/s"),
        Result("archive, of the table", [megabytes(some.rows) / s for s in clocks], unit="MB/s"),
    )
    _clear()


@contextmanager
def at_the_store(seconds: list[float]) -> Iterator[None]:
    """Adds the seconds in which files are put and read back: what another archive could be written
    in meanwhile."""
    from unittest.mock import patch

    from purge.archive import storage

    def noted(action: Callable[..., None]) -> Callable[..., None]:
        return lambda *given: seconds.append(timed(lambda: action(*given)))

    with (
        patch.object(storage, "put", noted(storage.put)),
        patch.object(storage, "_compare", noted(storage._compare)),
    ):
        yield


def add_shares(
    plan: Plan, name: str, theirs: list[Spent], ours: list[Spent], target: str = ""
) -> None:
    """One line for the clock, one for the processor, where its time is known."""
    plan.add(Result(name, over([s.clock for s in theirs], [s.clock for s in ours]), target))
    if all(s.processor for s in (*theirs, *ours)):
        ratios = over([s.processor for s in theirs], [s.processor for s in ours])
        plan.add(Result(f"{name}, on the processor", ratios, target))


def _filled(side: Callable[[], Spent], rows: int) -> Callable[[], Spent]:
    def run() -> Spent:
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
    rows: int, making: list[Spent] | None = None, formats: tuple[str, ...] = ("jsonl",)
) -> Spent:
    """One pass of the policy; all rows are in verified archives and gone, or it does not count.

    `making` gets the time in which the files were written, put and read back.
    """
    from unittest.mock import patch

    from lifecycle.policy.registry import get_policy
    from purge.archiving import due
    from purge.runner import run_policy

    make, parts = due.make, []
    policy = get_policy("bench-logged")
    with (
        patch.object(due, "make", lambda *given: parts.append(spent(lambda: make(*given)))),
        patch.object(type(policy.disposition), "files", formats),
    ):
        taken = spent(lambda: run_policy(policy))
    if making is not None:
        making.append(sum(parts, Spent(0, 0)))
    assert sql("SELECT count(*) FROM bench_logged") == [(0,)]
    assert sql("SELECT sum(count) FROM lifecycle_event WHERE kind = 'archived'") == [(rows,)]
    return taken


def copied(bucket: Any) -> Spent:
    """COPY through the same compression, then an upload; nothing is read back or deleted."""
    from django.db import connection

    def write(file: Any) -> None:
        with connection.cursor() as cursor, cursor.copy("COPY bench_logged TO STDOUT") as rows:
            for part in rows:
                file.write(bytes(part))

    return spent(lambda: _upload(bucket, "copied.gz", write))


def dumped(bucket: Any) -> Spent:
    """All rows as objects of Python, in one text."""
    from tests.bench.models import Logged

    def write(file: Any) -> None:
        rows = list(Logged.objects.values())
        file.write(json.dumps(rows, cls=DjangoJSONEncoder).encode())

    return spent(lambda: _upload(bucket, "dumped.gz", write))


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
