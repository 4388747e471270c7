"""What the worker costs while nothing is due, and how soon it comes when something is."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from tests.bench.rounds import Plan, Result, spent
from tests.bench.server import ROOT, clear, settle, sql

TICKS = 100
POLICIES = {5: "<= 0.5", 50: "<= 1"}  # how many, and the milliseconds that are wanted
FEWER = """
DELETE FROM lifecycle_policy
WHERE name NOT IN (SELECT name FROM lifecycle_policy ORDER BY name LIMIT %s)
"""
COPIES = """
INSERT INTO lifecycle_policy SELECT copy.* FROM (SELECT * FROM bench_before LIMIT 1) AS one,
    generate_series(1, %s) AS i, LATERAL jsonb_populate_record(one::lifecycle_policy,
    jsonb_build_object('name', 'idle-' || i, 'state', 'enabled')) AS copy
"""
PATIENCE = 120.0  # seconds until the lag's rows have to be gone; other work may fill the machine


def measure(plan: Plan) -> None:
    """The question of each beat at several sizes of the agenda, then the lag."""
    idle_beats(plan)
    lag(plan)


def idle_beats(plan: Plan) -> None:
    """Milliseconds of the question that is asked once a second while nothing is due."""
    from django.utils import timezone

    from purge.passes.due import beat

    since = timezone.now() - timedelta(minutes=2)
    for rows in plan.agenda:
        with only_policies(max(POLICIES)):
            fill_agenda(rows)
            for policies, target in sorted(POLICIES.items(), reverse=True):
                sql(FEWER, policies)
                took = [_each(lambda: beat("default", since)) for _ in range(plan.rounds)]
                found = beat("default", since)
                assert found is not None
                assert not found.due
                name = f"idle question, {policies} policies, {rows:,} scheduled"
                clock, processor = ([each[part] for each in took] for part in (0, 1))
                plan.add(
                    Result(name, clock, target, "ms"),
                    Result(f"{name}, on the processor", processor, target, "ms"),
                )


@contextmanager
def only_policies(count: int) -> Iterator[None]:
    """So many enabled policies in the database, and none of the others."""
    sql("CREATE TEMP TABLE bench_before AS TABLE lifecycle_policy")
    sql("SET session_replication_role = replica")
    sql("DELETE FROM lifecycle_policy")
    sql(COPIES, count)
    sql("SET session_replication_role = origin")
    try:
        yield
    finally:
        sql("SET session_replication_role = replica")
        sql("DELETE FROM lifecycle_policy")
        sql("INSERT INTO lifecycle_policy SELECT * FROM bench_before")
        sql("SET session_replication_role = origin")
        sql("DROP TABLE bench_before")


def _each(action: Callable[[], object]) -> tuple[float, float]:
    """Milliseconds by the clock and on the processor of one of many."""

    def often() -> None:
        for _ in range(TICKS):
            action()

    took = spent(often)
    return took.clock / TICKS * 1000, took.processor / TICKS * 1000


def fill_agenda(rows: int) -> None:
    """One entry a row, as of rows written singly, over all policies."""
    clear()
    sql(
        "INSERT INTO lifecycle_agenda (event_id, policy, due_at, count, attempts)"
        " SELECT i, (SELECT array_agg(name) FROM lifecycle_policy)[1 + i %"
        " (SELECT count(*) FROM lifecycle_policy)], now() + interval '1 day' + i * interval '1 s',"
        f" 1, 0 FROM generate_series(1, {rows}) AS i"
    )
    settle()


def lag(plan: Plan) -> None:
    """Seconds from a row's due time to the event that ends it, with nothing but the consumer."""
    clear()
    count = max(plan.rounds, 3) * 2
    with consumer():
        sql("INSERT INTO bench_tracked (label, active, expires_at) VALUES ('', true, now())")
        _await("SELECT count(*) = 0 FROM bench_tracked")
        for _ in range(count):
            for table in ("tracked", "graced"):
                due = "clock_timestamp() + interval '1 second'"
                columns = "(label, active, expires_at)"
                sql(f"INSERT INTO bench_{table} {columns} VALUES ('lag', true, {due})")
            time.sleep(0.27)  # so that the rows fall on every part of the pulse
        _await("SELECT count(*) = 0 FROM bench_tracked")
        _await(f"SELECT sum(count) = {count} FROM lifecycle_event WHERE kind = 'tombstoned'")
        plan.add(
            Result("lag, due -> tombstoned", _lags("tombstoned", "graced"), "<= 2", "s"),
            Result("lag, due -> purged", _lags("purged", "tracked")[1:], "<= 2", "s"),
        )


def _lags(kind: str, table: str) -> list[float]:
    """By the order of keys: the table is empty, but due times were rounded up, so they are kept."""
    found = sql(
        "SELECT extract(epoch FROM ending.recorded_at - told.recorded_at) - 1"
        " FROM lifecycle_event AS told, lifecycle.keys_v1(told.id) AS key"
        " JOIN lifecycle_event AS ending ON ending.kind = %s AND ending.model = %s"
        " AND key IN (SELECT lifecycle.keys_v1(ending.id))"
        " WHERE told.kind = 'expiry_scheduled' AND told.model = ending.model ORDER BY told.id",
        kind,
        f"bench.{table}",
    )
    return [float(seconds) for (seconds,) in found]


def _await(question: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not sql(question)[0][0]:
        assert time.monotonic() < deadline, f"not in {PATIENCE:.0f} s: {question}"
        time.sleep(0.05)


@contextmanager
def consumer() -> Iterator["subprocess.Popen[bytes]"]:
    """`manage.py run_huey` as a site runs it."""
    process = subprocess.Popen(
        [sys.executable, "manage.py", "run_huey"],
        cwd=ROOT,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "tests.bench.settings"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
        assert process.poll() is None, "the consumer ended by itself"
    finally:
        process.terminate()
        process.wait(30)
