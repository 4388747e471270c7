"""What one row a statement costs, by the clock and in the backend's time on the processor.

The clock of a busy machine says little: of single rows the processor's time counts. Linux tells it
of a server on this machine, where the bench may read it; elsewhere those lines are left out.
"""

import re
import shutil
import statistics
import subprocess
from collections.abc import Callable
from typing import Any

from django.db import connection

from lifecycle.embedded.location import binaries, place
from tests.bench.rounds import Plan, Result, over, timed
from tests.bench.server import SERVER, clear, conninfo, processor, sql

CLIENTS = 8
TABLES = ("plainorder", "trackedorder")
COLUMNS = "customer_id, number, status, total, note, created_at"
VALUES = "7, 'N-1', 'draft', 12.5, 'a note of some words', now()"
INSERT = f"INSERT INTO bench_{{table}} ({COLUMNS}) VALUES ({VALUES})"
#: of a table and the number of a row: what is measured
STATEMENTS = {
    "insert": f"{INSERT} RETURNING id",
    "save() of another column": "UPDATE bench_{table} SET customer_id = customer_id,"
    " number = number, status = status, total = total, created_at = created_at,"
    " expires_at = expires_at, note = 'another' || id WHERE id = %s",
    "update of the due time": "UPDATE bench_{table} SET created_at = created_at + interval '1 day'"
    " WHERE id = %s",
    "delete": "DELETE FROM bench_{table} WHERE id = %s",
}  # fmt: skip
ADDED = {
    "insert": "<= 100",
    "save() of another column": "<= 45",
    "update of the due time": "<= 100",
    "delete": "<= 100",
}


def measure(plan: Plan) -> None:
    """Each kind of statement, Django's `create()`, clients side by side, what they log."""
    for what, text in STATEMENTS.items():
        measured(plan, what, statements(plan, text, wants_rows=what != "insert"), ADDED[what])
    measured(plan, "create()", creates(plan), ADDED["insert"], "<= 1.25")
    plan.add(Result(f"one row: insert, {CLIENTS} clients, rate", side_by_side(plan), ">= 0.4"))
    plan.add(Result("one row: insert, logged", logged(plan), "<= 700", "bytes"))


def measured(
    plan: Plan, what: str, side: Callable[[str], Callable[[], None]], added: str, ratio: str = ""
) -> None:
    """One line for the clock, one for the processor."""
    walls: list[list[float]] = [[], []]
    spent: list[list[float]] = [[], []]
    for turn in range(plan.rounds):
        clear()
        for number in (0, 1) if turn % 2 == 0 else (1, 0):
            run = side(TABLES[number])
            before = processor()
            walls[number].append(timed(run))
            spent[number].append(processor() - before)
    plan.add(Result(f"one row: {what}, by the clock", over(walls[1], walls[0]), ratio))
    if any(spent[0]):
        plain = statistics.median(spent[0])
        extra = [(each - plain) / plan.singles / 1e3 for each in spent[1]]
        plan.add(
            Result(f"one row: {what}, on the processor", over(spent[1], spent[0])),
            Result(f"one row: {what}, added on the processor", extra, added, "µs"),
        )


def statements(plan: Plan, text: str, wants_rows: bool) -> Callable[[str], Callable[[], None]]:
    """The same statement for each row, prepared, autocommitted; the first ones are not counted."""

    def side(table: str) -> Callable[[], None]:
        one, rows = text.format(table=table), plan.singles + plan.singles // 5 + 5
        fill = f"SELECT {VALUES} FROM generate_series(1, {rows})"
        if wants_rows:
            sql(f"INSERT INTO bench_{table} ({COLUMNS}) {fill}")
        keys = [(key,) for (key,) in sql(f"SELECT id FROM bench_{table} ORDER BY id DESC")]
        cursor: Any = connection.connection.cursor()

        def run(times: int = plan.singles) -> None:
            for _ in range(times):
                cursor.execute(one, keys.pop() if wants_rows else (), prepare=True)

        run(rows - plan.singles)
        return run

    return side


def creates(plan: Plan) -> Callable[[str], Callable[[], None]]:
    """Django's `create()`, whole."""
    from tests.bench.models import PlainOrder, TrackedOrder

    def side(table: str) -> Callable[[], None]:
        model = PlainOrder if table == TABLES[0] else TrackedOrder

        def run(times: int = plan.singles) -> None:
            for _ in range(times):
                model.objects.create(customer_id=7, number="N-1", note="a note of some words")

        run(plan.singles // 5 + 5)
        return run

    return side


def side_by_side(plan: Plan) -> list[float]:
    """The rate of several sessions that write at once, as a share of that without triggers."""
    clear()
    return over(*_rounds(plan, lambda table: _clients(table, max(1, plan.singles // 100))))


def _rounds(plan: Plan, side: Callable[[str], float]) -> tuple[list[float], list[float]]:
    found: dict[str, list[float]] = {table: [] for table in TABLES}
    for turn in range(plan.rounds):
        for table in TABLES if turn % 2 == 0 else reversed(TABLES):
            found[table].append(side(table))
    return found[TABLES[1]], found[TABLES[0]]


def _clients(table: str, seconds: int) -> float:
    """Transactions a second, by pgbench: clients of Python would measure Python."""
    command = [pgbench(), "-n", "-M", "prepared", "-T", str(seconds), "-c", str(CLIENTS), "-j", "2"]
    text = INSERT.format(table=table) + " RETURNING id;"
    done = subprocess.run(
        [*command, "-f", "/dev/stdin", conninfo()],
        input=text, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return float(re.findall(r"^tps = ([0-9.]+)", done.stdout, re.MULTILINE)[0])


def pgbench() -> str:
    """Of the machine, or of the embedded server."""
    return shutil.which("pgbench") or str(binaries(place(SERVER)) / "pgbench")


def logged(plan: Plan) -> list[float]:
    """Bytes of WAL that an INSERT makes with its ledger."""
    clear()
    return _rounds(plan, lambda table: _bytes(table, plan.singles))[0]


def _bytes(table: str, rows: int) -> float:
    at = "SELECT pg_current_wal_insert_lsn()"
    (before,) = sql(at)[0]
    for _ in range(rows):
        sql(INSERT.format(table=table))
    (made,) = sql(f"SELECT ({at}) - %s::pg_lsn", before)[0]
    return float(made) / rows
