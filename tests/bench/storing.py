"""What the ledger stores, and what `live()` costs a reader."""

from typing import Any

from lifecycle import live
from lifecycle.ledger.pending import move_pending
from tests.bench.rounds import Plan, Result, over, paired, timed
from tests.bench.server import clear, settle, sql
from tests.bench.writing import ONE_DUE, SPREAD, insert

PAGE = 50
PAGES = 20


def measure(plan: Plan) -> None:
    """Bytes a row, then pages."""
    bytes_a_row(plan, "written singly", plan.rows // 50, ONE_DUE, singly=True, target="<= 120")
    bytes_a_row(plan, "in bulk, one due time", plan.rows, ONE_DUE)
    bytes_a_row(plan, "in bulk, spread over 30 days", plan.rows, SPREAD)
    live_pages(plan)


def bytes_a_row(
    plan: Plan, name: str, rows: int, due: str, singly: bool = False, target: str = ""
) -> None:
    """Ledger and agenda with their indexes."""
    found, moved = [], []
    for _ in range(plan.rounds):
        clear()
        before = _size()
        for _ in range(rows if singly else 1):
            insert("tracked", 1 if singly else rows, due)
        settle()
        found.append((_size() - before) / rows)
        move_pending("default")
        settle()
        moved.append((_size() - _size("lifecycle_pending") - before) / rows)
    plan.add(Result(f"ledger, {name}", found, target, "bytes a row"))
    if singly:
        plan.add(Result(f"ledger, {name}, gathered", moved, "", "bytes a row"))


def _size(*tables: str) -> int:
    names = tables or ("lifecycle_event", "lifecycle_agenda", "lifecycle_pending")
    size = "SELECT sum(pg_total_relation_size(name::regclass)) FROM unnest(%s::text[]) AS name"
    return int(sql(size, list(names))[0][0])


def live_pages(plan: Plan) -> None:
    """The first page of a table of which every other row is past its end."""
    from tests.bench.models import Kept, Tracked

    clear()
    for table in ("tracked", "kept"):
        insert(table, plan.rows, "now() + (i % 2 * 2 - 1) * interval '1 day'")

    def pages(rows: Any) -> float:
        return timed(lambda: [list(rows.order_by("pk")[:PAGE]) for _ in range(PAGES)])

    for model, name in ((Tracked, "own columns"), (Kept, "keep_while")):
        plain, living = paired(
            plan,
            lambda: pages(model.objects.all()),  # noqa: B023
            lambda: pages(live(model.objects.all())),  # noqa: B023
        )
        plan.add(Result(f"live(), a page of {PAGE}, {name}", over(living, plain)))
