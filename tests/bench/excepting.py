"""What many holds and restores of other rows cost: nothing that grows with them."""

from tests.bench.ending import PAST, assert_empty, run
from tests.bench.rounds import Plan, Result, Spent, over, paired, timed
from tests.bench.server import clear, settle, sql
from tests.bench.writing import ONE_DUE, insert
from tests.excepting import except_others


def measure(plan: Plan) -> None:
    """Four exceptions for each row of a bulk statement: 400,000."""
    drain(plan)
    single_writes(plan)


def drain(plan: Plan) -> None:
    """The runner, with holds of the model and without."""
    rows = plan.rows * 2 // 5

    def under(holds: int) -> Spent:
        clear()
        insert("tracked", rows, PAST)
        except_others("bench-tracked", "hold", holds)
        settle()
        seconds = run("tracked")
        assert_empty("tracked")
        return seconds

    without, held = paired(plan, lambda: under(0), lambda: under(plan.rows * 4))
    name, target = "due -> purged under 400,000 holds", ">= 0.8"
    plan.add(Result(name, over([s.clock for s in without], [s.clock for s in held]), target))
    if all(s.processor for s in (*without, *held)):
        ratios = over([s.processor for s in without], [s.processor for s in held])
        plan.add(Result(f"{name}, on the processor", ratios, target))


def single_writes(plan: Plan) -> None:
    """Autocommit, one row a statement: written, changed, deleted."""

    def under(restores: int) -> float:
        clear()
        except_others("bench-tracked", "restored", restores)
        settle()
        return timed(writes)

    def writes() -> None:
        for _ in range(plan.singles):
            insert("tracked", 1, ONE_DUE)
            sql("UPDATE bench_tracked SET expires_at = expires_at + interval '1 day'")
            sql("DELETE FROM bench_tracked")

    without, restored = paired(plan, lambda: under(0), lambda: under(plan.rows * 4))
    plan.add(Result("single writes under 400,000 restores", over(restored, without), "<= 1.2"))
