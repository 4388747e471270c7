"""Parents with five children each: how fast they go against Django's `.delete()`, and what of
memory it takes."""

import os
import subprocess
import sys

from tests.bench.ending import PAST, assert_empty, run
from tests.bench.rounds import Plan, Result, over, paired, timed
from tests.bench.server import ROOT, clear, settle, sql
from tests.bench.writing import insert

CHILDREN = 5
PEAK = """
import resource, django
django.setup()
from tests.bench.ending import run
run("parent")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def measure(plan: Plan) -> None:
    """The same rows with and without a policy."""
    against_django(plan)
    memory(plan)


def fill(parents: int, *tables: tuple[str, str]) -> None:
    """Parents past their end, with their children."""
    clear()
    for parent, child in tables:
        insert(parent, parents, PAST)
        sql(
            f"INSERT INTO bench_{child} (parent_id)"
            f" SELECT id FROM bench_{parent}, generate_series(1, {CHILDREN})"
        )


def against_django(plan: Plan) -> None:
    """Django loads the parents, and deletes them a hundred at a time."""
    from tests.bench.models import PlainParent

    def theirs() -> float:
        return timed(PlainParent.objects.filter(active=True).delete)

    def ours() -> float:
        seconds = run("parent").clock
        assert_empty("parent")
        assert_empty("child")
        return seconds

    def fresh() -> None:
        fill(plan.rows // 5, ("parent", "child"), ("plainparent", "plainchild"))

    django, our = paired(plan, theirs, ours, fresh=fresh)
    plan.add(Result("due -> purged with 5 children, against .delete()", over(django, our), ">= 1"))


def memory(plan: Plan) -> None:
    """The peak of a worker's memory for twenty times the parents."""
    few = plan.rows // 10
    ratios = [_peak(few * 20) / _peak(few) for _ in range(max(plan.rounds // 3, 1))]
    plan.add(Result("peak memory, twenty times the parents", ratios, "<= 1.1"))


def _peak(parents: int) -> int:
    """In a process of its own, which has nothing but the purge to do."""
    fill(parents, ("parent", "child"))
    settle()
    done = subprocess.run(
        [sys.executable, "-c", PEAK], cwd=ROOT, env=os.environ, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert_empty("parent")
    return int(done.stdout)
