"""The large run: many rows scheduled, a fifth of them due, pgbench in the foreground all along.

    python -m tests.soak.large --rows 1000000 --workers 0 --workers 1 --workers 2

Prints a line of a table for each number of workers, and checks all promises after each. With no
worker the due rows are deleted as a site's own loop would do it, without triggers: what the
foreground has to bear in any case.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from tests.bench.server import ROOT, conninfo, database, prepare, sql
from tests.bench.singly import pgbench
from tests.bench.waiting import consumer
from tests.soak.filling import Filled, fill

QUIET = 20  # seconds of pgbench alone
PIECE = 2  # seconds of one run of pgbench
RATE = 50  # transactions a second, of a site that is not at its limit
PATIENCE = 4 * 3600.0  # seconds
FOREGROUND = """\\set key random(1, 100000)
INSERT INTO bench_trackedorder (customer_id, number, status, total, note)
    VALUES (:key, 'N-1', 'draft', 1, 'a note of some words');
UPDATE bench_plainorder SET note = 'another' WHERE id = :key;
SELECT * FROM bench_trackedorder WHERE id = :key;
"""
HEAD = (
    "| rows | due | gathered | workers | rows/s | p99 alone | p99 beside |"
    " ledger, before and after | dead rows | worker | backend | longest transaction |"
)


@dataclass
class Watch:
    """The largest of what was seen twice a second while the worker ran."""

    dead: int = 0
    longest: float = 0.0
    backend: int = 0  # kB of resident memory, of a session of a worker
    worker: int = 0  # kB, of a worker's process
    query: str = ""  # of the longest transaction
    stop: threading.Event = field(default_factory=threading.Event)

    def look(self, session: psycopg.Connection[Any]) -> None:
        ((dead, longest, query, pids),) = session.execute(
            "SELECT (SELECT coalesce(sum(n_dead_tup), 0)::bigint FROM pg_stat_user_tables),"
            " coalesce(extract(epoch FROM max(age)), 0)::float,"
            " coalesce((array_agg(query ORDER BY age DESC NULLS LAST))[1], ''),"
            " coalesce(array_agg(pid) FILTER (WHERE query LIKE '%lifecycle%'), '{}')"
            " FROM (SELECT pid, query, clock_timestamp() - xact_start AS age FROM pg_stat_activity"
            "   WHERE pid <> pg_backend_pid() AND datname = current_database()"
            "   AND backend_type = 'client backend' AND query !~* 'vacuum') AS session"
        ).fetchall()
        self.dead = max(self.dead, dead)
        if longest > self.longest:
            self.longest, self.query = longest, query
        self.backend = max([self.backend, *(resident(pid) for pid in pids)])

    def run(self, pids: list[int]) -> None:
        with psycopg.connect(conninfo(), autocommit=True) as session:
            while not self.stop.wait(0.5):
                self.look(session)
                self.worker = max([self.worker, *(resident(pid) for pid in pids)])


def resident(pid: int) -> int:
    """Most memory that a process has had for itself and with others, in kB; 0 where it is gone."""
    try:
        found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0
    return int(found[1]) if found else 0


class Foreground:
    """pgbench at a fixed rate, until `end`; latencies count from when a transaction was to begin.

    By pieces of some seconds: what it has in its buffer it does not write when it is stopped.
    """

    def __init__(self, folder: Path) -> None:
        script = folder / "foreground.sql"
        script.write_text(FOREGROUND)
        self.folder, self.prefix = folder, f"log{time.monotonic_ns()}"
        self.stop, self.thread = threading.Event(), threading.Thread(target=self._pieces)
        self.command = [pgbench(), "-n", "-M", "prepared", "-c", "2", "-R", str(RATE), "-T"]
        self.command += [str(PIECE), "-l", "-f", str(script), "--log-prefix"]
        self.thread.start()

    def _pieces(self) -> None:
        number = 0
        while not self.stop.is_set():
            number += 1
            subprocess.run(
                [*self.command, f"{self.prefix}-{number}", conninfo()], cwd=self.folder, check=True,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip

    def end(self) -> float:
        """Milliseconds that 99 of 100 transactions did not take longer than, of those until now."""
        until = time.time()
        self.stop.set()
        self.thread.join(60)
        lines = [
            line.split()
            for log in self.folder.glob(f"{self.prefix}-*")
            for line in log.read_text().splitlines()
        ]
        took = sorted(int(line[2]) for line in lines if int(line[4]) <= until)
        assert took, "pgbench has not written"
        return took[int(len(took) * 0.99)] / 1000


@contextmanager
def consumers(count: int) -> Iterator[list[int]]:
    """So many `manage.py run_huey`; their processes."""
    with ExitStack() as stack:
        yield [stack.enter_context(consumer()).pid for _ in range(count)]


@contextmanager
def loop() -> Iterator[list[int]]:
    """The rows that are due deleted by a site's own loop, without triggers; its process."""
    process = subprocess.Popen([sys.executable, "-c", LOOP, conninfo()], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline(), "the loop has begun"
    try:
        yield [process.pid]
    finally:
        assert process.wait(60) == 0


def drain(workers: int, folder: Path) -> tuple[float, float, Watch]:
    """Seconds until nothing that was due at the beginning is left, the p99 meanwhile, the watch."""
    watch = Watch()
    foreground = Foreground(folder)
    started = time.monotonic()
    with consumers(workers) if workers else loop() as pids:
        watching = threading.Thread(target=watch.run, args=(pids,))
        watching.start()
        try:
            while sql(LEFT if workers else RUNS)[0][0]:
                assert time.monotonic() - started < PATIENCE, "rows are left that are due"
                time.sleep(0.2)
            seconds = float(sql(TOOK)[0][0]) if workers else time.monotonic() - started
        finally:
            watch.stop.set()
            watching.join()
    return seconds, foreground.end(), watch


#: A batch after the other, by the key: a commit each, as large as ours are at the most.
LOOP = """
import sys, psycopg
with psycopg.connect(sys.argv[1], autocommit=True) as session:
    session.execute("SET session_replication_role = replica")
    session.execute("SET application_name = 'loop'")
    print("begun", flush=True)
    for table in ("tracked", "trackedorder"):
        last = -1
        while True:
            (found,) = session.execute(
                f"SELECT array_agg(id) FROM (SELECT id FROM bench_{table} WHERE id > %s"
                " AND expires_at <= now() ORDER BY id LIMIT 10000) AS one", [last]).fetchone()
            if not found:
                break
            session.execute(f"DELETE FROM bench_{table} WHERE id = ANY (%s)", [found])
            last = max(found)
"""
RUNS = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'loop')"
# From the first batch: how long a process takes to start is another thing.
TOOK = (
    "SELECT extract(epoch FROM max(recorded_at) - min(recorded_at))"
    " FROM lifecycle_event WHERE kind = 'purged'"
)
LEFT = "SELECT EXISTS (SELECT FROM lifecycle_agenda WHERE due_at <= now() AND policy <> '')"


def due_rows() -> int:
    return int(sql("SELECT sum(count)::bigint FROM lifecycle_agenda WHERE due_at <= now()")[0][0])


def megabytes(table: str = "lifecycle_event") -> str:
    return f"{sql(f'SELECT pg_total_relation_size({table!r})')[0][0] / 1e6:,.0f} MB"


def measure(rows: int, workers: int, folder: Path) -> str:
    """Fill, measure the foreground alone, drain beside it; the line of the table."""
    filled: Filled = fill(rows, singly=0.4)
    sql("INSERT INTO bench_plainorder (id, customer_id, number, status, total, note, created_at)"
        " OVERRIDING SYSTEM VALUE SELECT i, 1, 'N', 'draft', 1, 'x', now()"
        " FROM generate_series(1, 100000) AS i")  # fmt: skip
    foreground = Foreground(folder)
    time.sleep(QUIET)
    alone = foreground.end()
    due, before = due_rows(), megabytes()
    seconds, beside, watch = drain(workers, folder)
    cells = [
        f"{filled.bulk + filled.singly:,}", f"{due:,}",
        f"{filled.singly / filled.gathering:,.0f} rows/s", workers or "`DELETE`",
        f"{due / seconds:,.0f}", f"{alone:.1f} ms", f"{beside:.1f} ms", f"{before}, {megabytes()}",
        f"{watch.dead:,}", f"{watch.worker / 1e3:.0f} MB", f"{watch.backend / 1e3:.0f} MB",
        f"{watch.longest:.2f} s",
    ]  # fmt: skip
    print(f"longest transaction, {watch.longest:.2f} s: {' '.join(watch.query.split())[:300]}")
    return f"| {' | '.join(map(str, cells))} |"


def check() -> None:
    """All promises, each with the seconds that it took."""
    from lifecycle.promises.check import checked

    began = time.monotonic()
    for name, violations in checked():
        print(f"{name}: {len(violations)} violations, {time.monotonic() - began:.0f} s", flush=True)
        assert not violations, violations[:5]
        began = time.monotonic()


def main() -> None:
    """Measure for each number of workers that is given."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak.large", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--workers", type=int, action="append")
    parser.add_argument("--rest", default="", help="LIFECYCLE_THROTTLE['rest'] of the workers")
    parser.add_argument("--unchecked", action="store_true", help="do not ask the promises after it")
    wanted = parser.parse_args()
    lines = [HEAD, "|" + "---|" * (HEAD.count("|") - 1)]
    os.environ |= {"PYTHONPATH": str(ROOT), "LARGE_REST": wanted.rest}
    with database(), tempfile.TemporaryDirectory() as folder:
        prepare()
        for workers in wanted.workers or [0, 1, 2]:
            lines.append(measure(wanted.rows, workers, Path(folder)))
            print("\n".join(lines), flush=True)
            if workers and not wanted.unchecked:
                check()


if __name__ == "__main__":
    sys.exit(main())
