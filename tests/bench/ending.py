"""How fast rows end, as a share of the rate of a bare DELETE in batches."""

from collections.abc import Callable
from typing import Any

from tests.bench.rounds import Plan, Result, Spent, over, paired, spent, timed
from tests.bench.server import clear, sql
from tests.bench.writing import insert

BATCH = 10_000
PAST = "now() - interval '1 day'"
SCATTERED = "now() - interval '1 day' - i % 100 * interval '7 hours'"
SHIFT = "2 hours"
WRITE_SINGLY = (
    "DO $$ BEGIN FOR i IN 1..{rows} LOOP INSERT INTO bench_tracked"
    " (label, active, expires_at) VALUES ('a label', true, {due}); END LOOP; END $$"
)


def measure(plan: Plan) -> None:
    """The runner, then what Django offers, each against the bare DELETE of the same rows."""
    purge(plan, "tracked", "due -> purged, one due time", PAST, ">= 0.9")
    purge(plan, "tracked", "due -> purged, 100 due times", SCATTERED, ">= 0.55")
    purge(plan, "stamped", "due -> purged, identities hashed", PAST, ">= 0.7")
    purge(plan, "keyed", "due -> purged, UUID key, rows hashed", PAST, "", "plainkeyed")
    purge(plan, "keyalone", "due -> purged, UUID key alone", PAST, "", "plainkeyed")
    purge(plan, "windowed", "due -> purged, a window", PAST, ">= 0.5", "indexed")
    purge(plan, "windowed", "due -> purged, 30 windows", SCATTERED, ">= 0.5", "indexed")
    purge(plan, "kept", "due -> purged, keep_while", PAST, ">= 0.45")
    collector(plan)
    tombstones(plan, "one due time", PAST)
    tombstones(plan, "100 due times", SCATTERED)
    singly_written(plan)
    with_django(plan)


def bare(table: str = "plain") -> Spent:
    """DELETE in batches of 10,000 in key order, each its own transaction."""
    return spent(lambda: _bare(table))


def _bare(table: str = "plain") -> None:
    child = "bench_plainchild" if table == "plainparent" else None
    due = "WHERE active AND expires_at <= now() ORDER BY id"
    picked = f"SELECT id FROM bench_{table} {due} LIMIT {BATCH}"
    left = 1
    while left:
        if child:
            sql(f"DELETE FROM {child} WHERE parent_id IN ({picked})")
        gone = f"DELETE FROM bench_{table} WHERE id IN ({picked}) RETURNING 1"
        left = int(sql(f"WITH gone AS ({gone}) SELECT count(*) FROM gone")[0][0])


def run(table: str) -> Spent:
    """One pass of the policy over its table."""
    from lifecycle.policy.registry import get_policy
    from purge.runner import run_policy

    name = "bench-parents" if table == "parent" else f"bench-{table}"
    return spent(lambda: run_policy(get_policy(name)))


def assert_empty(table: str) -> None:
    """A figure counts only if everything is gone."""
    assert sql(f"SELECT count(*) FROM bench_{table}") == [(0,)], f"rows are left in {table}"


def compared(
    plan: Plan, name: str, ours: Callable[[], Spent], fresh: Callable[[], None],
    target: str = "", beside: str = "plain",
) -> None:  # fmt: skip
    """One line for the clock, one for the processor, where its time is known."""
    plain, our = paired(plan, lambda: bare(beside), ours, fresh=fresh)
    plan.add(Result(name, over([s.clock for s in plain], [s.clock for s in our]), target))
    if all(s.processor for s in (*plain, *our)):
        ratios = over([s.processor for s in plain], [s.processor for s in our])
        plan.add(Result(f"{name}, on the processor", ratios, target))


def purge(plan: Plan, table: str, name: str, due: str, target: str, beside: str = "plain") -> None:
    """No grace: what is due goes."""

    def fresh() -> None:
        clear()
        insert(beside, plan.rows, due)
        insert(table, plan.rows, due)
        insert_keepers(plan.rows)

    def ours() -> Spent:
        seconds = run(table)
        assert_empty(table)
        return seconds

    compared(plan, name, ours, fresh, target, beside)


def insert_keepers(rows: int) -> None:
    """Keepers of other rows, so that looking for one costs what it costs."""
    sql(f"INSERT INTO bench_keeper (row) SELECT -i FROM generate_series(1, {rows}) AS i")


def tombstones(plan: Plan, name: str, due: str) -> None:
    """Both passes together; the grace between them is gone through by moving the clock's marks."""

    def fresh() -> None:
        clear()
        insert("plain", plan.rows, due)
        insert("graced", plan.rows, due)

    def ours() -> Spent:
        seconds = run("graced")
        pass_grace()
        seconds += run("graced")
        assert_empty("graced")
        return seconds

    compared(plan, f"due -> tombstoned -> purged, {name}", ours, fresh, ">= 0.45")


def pass_grace() -> None:
    """Move what the ledger and the agenda have stored into the past, past every guard."""
    sql("SET session_replication_role = replica")
    sql(
        f"UPDATE lifecycle_agenda SET due_at = due_at - interval '{SHIFT}',"
        f" tombstoned_at = tombstoned_at - interval '{SHIFT}'"
    )
    sql(
        f"UPDATE lifecycle_event SET recorded_at = recorded_at - interval '{SHIFT}'"
        " WHERE kind = 'tombstoned'"
    )
    sql("SET session_replication_role = origin")
    sql("VACUUM (ANALYZE) lifecycle_agenda, lifecycle_event")


def collector(plan: Plan) -> None:
    """Rows with a child each, by Django's collector, against two bare DELETEs a batch."""
    rows = plan.rows // 5

    def fresh() -> None:
        clear()
        for parent, child in (("parent", "child"), ("plainparent", "plainchild")):
            insert(parent, rows, PAST)
            sql(f"INSERT INTO bench_{child} (parent_id) SELECT id FROM bench_{parent}")

    def ours() -> Spent:
        seconds = run("parent")
        assert_empty("parent")
        return seconds

    compared(plan, "due -> purged, collector", ours, fresh, ">= 0.5", "plainparent")


def singly_written(plan: Plan) -> None:
    """Rows that were each written by a statement of its own: an entry of the agenda a row."""
    rows = plan.rows // 10

    def fresh() -> None:
        clear()
        insert("plain", rows, PAST)
        sql(WRITE_SINGLY.format(rows=rows, due=PAST))

    def ours() -> Spent:
        seconds = run("tracked")
        assert_empty("tracked")
        return seconds

    def gathered() -> None:
        from lifecycle.ledger.pending import move_pending

        clear()
        insert("plain", rows, PAST)
        sql(WRITE_SINGLY.format(rows=rows, due="now() + interval '3 hours'"))
        move_pending("default")
        pass_hours("bench_tracked", "4 hours")

    compared(plan, "due -> purged, rows written singly", ours, fresh, ">= 0.3")
    compared(plan, "due -> purged, rows written singly, gathered", ours, gathered, ">= 0.3")


def pass_hours(table: str, span: str) -> None:
    """Rows and entries become due, past every trigger."""
    sql("SET session_replication_role = replica")
    sql(f"UPDATE {table} SET expires_at = expires_at - interval '{span}'")
    sql(f"UPDATE lifecycle_agenda SET due_at = due_at - interval '{span}'")
    sql("SET session_replication_role = origin")
    sql(f"VACUUM (ANALYZE) {table}, lifecycle_agenda, lifecycle_event")


def with_django(plan: Plan) -> None:
    """What a site would do without this package."""
    from django.db.models.signals import post_delete

    from tests.bench.models import Plain

    due = Plain.objects.filter(active=True)

    def against_bare(name: str, rows: int, action: Callable[[], object]) -> None:
        def side(delete: Callable[[], object]) -> Callable[[], float]:
            def run() -> float:
                clear()
                insert("plain", rows, PAST)
                return timed(delete)

            return run

        bare_seconds, seconds = paired(plan, side(_bare), side(action))
        plan.add(Result(name, over(bare_seconds, seconds)))

    against_bare("Django's .delete()", plan.rows, due.delete)
    post_delete.connect(_receive, sender=Plain)
    against_bare("Django's .delete() with a receiver", plan.rows // 5, due.delete)
    post_delete.disconnect(_receive, sender=Plain)
    against_bare("a loop of obj.delete()", plan.rows // 50, lambda: [x.delete() for x in due.all()])


def _receive(**kwargs: Any) -> None:
    """A receiver of post_delete."""
