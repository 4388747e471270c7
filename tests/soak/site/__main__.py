"""A site of thirty tables, which is never stopped, gets the package and loses it again.

    python -m tests.soak.site [--rows 2000000] [--rate 150] [--seconds 30]

Exit code 1 when a write of the site fails, when something is lost or ends too early, or when the
load's 99th percentile is more than 25 % above what it was before.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psycopg

from lifecycle import embedded
from lifecycle.embedded.location import binaries, place
from tests.bench.server import address
from tests.infra.servers import data_folder
from tests.soak.site.load import Load, quantile
from tests.soak.site.project import NAMES, Project
from tests.soak.site.tables import TABLES, fill

ALLOWED = 1.25  # of the 99th percentile
# Asked of the database: a `manage.py lifecycle status` each second would be most of the load.
READ = "SELECT coalesce(avg((finished_at IS NOT NULL)::int), 0) FROM lifecycle_backfill"
LATE = """SELECT FROM lifecycle_agenda JOIN lifecycle_policy ON name = policy
    WHERE state = 'enabled' AND due_at < now() - interval '5 s' LIMIT 1"""


class Site:
    """The site, its visitors, and the steps its owner takes."""

    def __init__(self, project: Project, load: Load, options: argparse.Namespace) -> None:
        self.project, self.load, self.options = project, load, options
        self.worker: subprocess.Popen[bytes] | None = None

    def ask(self, statement: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.project.url, autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def build(self) -> None:
        """Thirty tables with rows, before the package."""
        self.project.write()
        self.project.manage("makemigrations", "accounts", "shop", "desk")
        self.project.manage("migrate", "-v0")
        total = 0
        for table in TABLES:
            statement, count = fill(table, self.options.rows)
            self.ask(statement)
            total += count
            if table.key == "bigint":
                self.ask(f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), {count})")
        self.ask("VACUUM ANALYZE")
        print(f"{len(TABLES)} tables, {total:,} rows")

    def stop(self) -> None:
        """Whatever happened: no worker goes on."""
        if self.worker and self.worker.poll() is None:
            self.worker.kill()
            self.worker.wait()

    def before(self) -> None:
        time.sleep(self.options.seconds)

    def install(self) -> None:
        self.project.install()
        self.project.manage("makemigrations", "accounts", "shop", "desk")
        self.project.manage("migrate", "-v0")
        self.worker = self.project.start("run_huey")

    def backfill(self) -> None:
        """By the worker; it is killed half-way once, and started again."""
        self.until(lambda: self.backfilled() > 0.3)
        self.stop()
        self.worker = self.project.start("run_huey")
        self.until(lambda: self.backfilled() >= 1)
        counts = self.ask(
            "SELECT count(*), sum(count) FROM lifecycle_event"
            " WHERE detail ->> 'relisted' = 'backfill'"
        )
        print("backfill: {} events about {} rows".format(*counts[0]))

    def observe(self) -> None:
        print(self.project.manage("lifecycle", "status", allow=(0, 1)))
        print(self.project.manage("lifecycle", "enable", "tokens", "--dry-run"))
        assert not self.ask("SELECT FROM lifecycle_event WHERE kind IN ('purged', 'tombstoned')")
        time.sleep(self.options.seconds)

    def enable(self) -> None:
        for name in NAMES:
            self.project.manage("lifecycle", "enable", name, "--yes", "--actor", "owner")

    def purge(self) -> None:
        """Until what was overdue is gone."""
        self.until(lambda: not self.ask(LATE))
        time.sleep(self.options.seconds)

    def change(self) -> None:
        """A rolling deploy: the old worker runs until the new one does."""
        self.project.change()
        self.project.manage("makemigrations", "accounts", "shop")
        self.project.manage("migrate", "-v0")
        old, self.worker = self.worker, self.project.start("run_huey")
        end(old)
        time.sleep(self.options.seconds)

    def verify(self) -> None:
        print(self.project.manage("lifecycle", "verify"))

    def uninstall(self) -> None:
        end(self.worker)
        print(self.project.manage("lifecycle", "uninstall", "--yes"))
        self.project.remove()

    def after(self) -> None:
        time.sleep(self.options.seconds)

    def backfilled(self) -> float:
        """The share of the policies whose rows from before are listed."""
        return float(self.ask(READ)[0][0])  # type: ignore[arg-type]

    def until(self, condition: Callable[[], bool], deadline: float = 900) -> None:
        give_up = time.monotonic() + deadline
        while not condition():
            if time.monotonic() > give_up:
                raise SystemExit(f"waited {deadline} s; see {self.project.path / 'worker.log'}")
            time.sleep(1)


def end(worker: "subprocess.Popen[bytes] | None") -> None:
    """As a supervisor ends it: the batch under way is finished."""
    if worker:
        worker.send_signal(signal.SIGTERM)
        worker.wait()


STEPS = (
    "before", "install", "backfill", "observe", "enable", "purge", "change", "verify",
    "uninstall", "after",
)  # fmt: skip


def main() -> int:
    """Build, run every step under load, report."""
    options = arguments()
    with (
        tempfile.TemporaryDirectory(prefix="site") as folder,
        data_folder() as data,
        embedded.server(data) as entry,
    ):
        url = address(entry, entry["NAME"])
        pgbench = binaries(place(data)) / "pgbench"
        load = Load(pgbench, url, Path(folder), options.rate)
        return run(Site(Project(Path(folder), url), load, options))


def run(site: Site) -> int:
    """Every step, with the load from the first to the last."""
    site.build()
    site.load.start()
    try:
        for step in site.options.steps.split(",") if site.options.steps else STEPS:
            began = time.time()
            getattr(site, step)()
            site.load.phase(step, began)
    finally:
        site.stop()
        errors = site.load.stop()
    return report(site.load, errors)


def report(load: Load, errors: list[str]) -> int:
    """Print each step's latencies; what is wrong decides."""
    taken = load.latencies()
    steps = {name: [t for at, t in taken if a <= at < b] for name, a, b in load.phases}
    print(f"{'step':<12}{'s':>6}{'writes':>9}{'p50 ms':>9}{'p99 ms':>9}{'longest':>9}")
    for name, began, ended in load.phases:
        times = steps[name]
        cells = [quantile(times, 0.5), quantile(times, 0.99), max(times, default=0.0)]
        figures = "".join(f"{cell:>9.1f}" for cell in cells)
        print(f"{name:<12}{ended - began:>6.0f}{len(times):>9}{figures}")
    during = [t for name, times in steps.items() if name not in ("before", "after") for t in times]
    ratio = quantile(during, 0.99) / (quantile(steps["before"], 0.99) or 1)
    print(f"failed writes: {len(errors)}; longest stall {max(during, default=0):.0f} ms;")
    print(f"p99 during / before: {ratio:.2f} (at most {ALLOWED})")
    for line in errors[:10]:
        print(line)
    return 1 if errors or ratio > ALLOWED else 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.soak.site", description=__doc__)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--rate", type=int, default=150, help="transactions a second")
    parser.add_argument("--seconds", type=float, default=30, help="of the quiet steps")
    parser.add_argument("--steps", default="", help="only these, with commas between")
    return parser.parse_args()


if __name__ == "__main__":
    os.environ.pop("DATABASE_URL", None)
    sys.exit(main())
