"""What the triggers cost the host's writes, against the same table without them."""

from collections.abc import Callable

from tests.bench import singly
from tests.bench.rounds import Plan, Result, over, paired, timed
from tests.bench.server import clear, settle, sql

ONE_DUE = "now() + interval '30 days'"
SPREAD = "now() + i % 1000 * interval '43.2 minutes'"  # over 30 days


def measure(plan: Plan) -> None:
    """Inserts and updates, singly and in bulk."""
    single_inserts(plan)
    singly.measure(plan)
    bulk_inserts(plan, "one due time", ONE_DUE, "<= 2.0")
    bulk_inserts(plan, "spread over 30 days", SPREAD, "<= 2.5")
    windows = ("indexed", "windowed")
    bulk_inserts(plan, "windows, one due time", ONE_DUE, "<= 1.4", windows)
    bulk_inserts(plan, "windows, spread over 30 days", SPREAD, "<= 1.4", windows)
    single_updates(plan)
    bulk_updates(plan, "due times", "expires_at = expires_at + interval '1 day'")
    bulk_updates(plan, "another column", "label = 'another'")
    warm_update(plan)


def insert(table: str, rows: int, due: str) -> None:
    """One statement of many rows."""
    sql(
        f"INSERT INTO bench_{table} (label, active, expires_at)"
        f" SELECT 'a label', true, {due} FROM generate_series(1, {rows}) AS i"
    )


def single_inserts(plan: Plan) -> None:
    """Autocommit, one row a statement."""

    def singly(table: str) -> Callable[[], float]:
        def run() -> None:
            for _ in range(plan.singles):
                insert(table, 1, ONE_DUE)

        return lambda: timed(run)

    plain, tracked = paired(plan, singly("plain"), singly("tracked"), fresh=clear)
    _add_single(plan, "insert", plain, tracked)
    plain, tracked = paired(plan, singly("indexed"), singly("windowed"), fresh=clear)
    _add_single(plan, "insert, windows", plain, tracked)


def single_updates(plan: Plan) -> None:
    """Autocommit, one row a statement, its due time changed."""

    def singly(table: str) -> Callable[[], float]:
        def run() -> None:
            for number in range(1, plan.singles + 1):
                sql(
                    f"UPDATE bench_{table} SET expires_at = now() + interval '9 days'"
                    f" WHERE id = (SELECT min(id) FROM bench_{table}) + %s",
                    number,
                )

        return lambda: timed(run)

    plain, tracked = paired(plan, singly("plain"), singly("tracked"), fresh=_filled(plan))
    _add_single(plan, "update", plain, tracked)


def _add_single(plan: Plan, what: str, plain: list[float], tracked: list[float]) -> None:
    extra = [(t - p) / plan.singles * 1e6 for t, p in zip(tracked, plain, strict=True)]
    plan.add(
        Result(f"single-row {what}", over(tracked, plain)),
        Result(f"single-row {what}, added", extra, unit="µs"),
    )


def bulk_inserts(
    plan: Plan, name: str, due: str, target: str, tables: tuple[str, str] = ("plain", "tracked")
) -> None:
    """One statement of many rows."""

    def bulk(table: str) -> Callable[[], float]:
        return lambda: timed(lambda: insert(table, plan.rows, due))

    plain, tracked = paired(plan, *map(bulk, tables), fresh=clear)
    plan.add(Result(f"bulk insert, {name}", over(tracked, plain), target))


def _filled(plan: Plan) -> Callable[[], None]:
    def fill() -> None:
        clear()
        for table in ("plain", "tracked"):
            insert(table, plan.rows, SPREAD)

    return fill


def bulk_updates(plan: Plan, name: str, change: str) -> None:
    """One statement that changes every row."""

    def bulk(table: str) -> Callable[[], float]:
        return lambda: timed(lambda: sql(f"UPDATE bench_{table} SET {change}"))

    plain, tracked = paired(plan, bulk("plain"), bulk("tracked"), fresh=_filled(plan))
    plan.add(Result(f"bulk update of {name}", over(tracked, plain)))


def warm_update(plan: Plan) -> None:
    """Ten times the rows, in a session whose plans were made for one row."""
    ratios = []
    many = plan.rows // 5
    for _ in range(plan.rounds):
        clear()
        insert("tracked", many, SPREAD)
        settle()
        for number in range(10):
            _push(f"id = (SELECT min(id) FROM bench_tracked) + {number}")
        few = f"id < (SELECT min(id) FROM bench_tracked) + {many // 10}"
        ratios.append(_push("true") / _push(few))
    plan.add(Result("warm update, ten times the rows", ratios, "<= 12"))


def _push(where: str) -> float:
    change = "UPDATE bench_tracked SET expires_at = expires_at + interval '1 day'"
    return timed(lambda: sql(f"{change} WHERE {where}"))
