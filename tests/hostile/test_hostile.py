"""The usual set of the matrix, by a process of its own; and that its oracle sees what is wrong."""

import os
import subprocess
import sys

import pytest
from django.conf import settings

from tests.demo.telling import own_database
from tests.hostile import oracle
from tests.hostile.oracle import BLOCKED, REFUSED, RIGHT, SILENT, WRONG, Seen, Tuple
from tests.infra.servers import ROOT

PAGE = ROOT / "docs/reference/hostile-hosts.md"


def printed(database: str, *arguments: str) -> str:
    """What `python -m tests.hostile` prints; it has to find nothing wrong."""
    with own_database(settings.DATABASES["default"], database) as url:
        done = subprocess.run(
            [sys.executable, "-m", "tests.hostile", *arguments],
            cwd=ROOT, env=os.environ | {"DATABASE_URL": url}, capture_output=True, text=True,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_every_cell_ends_as_the_page_says(database_server: None, worker_id: str) -> None:
    found = printed(f"test_hostile 100% {worker_id}'s")
    assert PAGE.read_text(encoding="utf-8") == found, "python -m tests.hostile"


DUE = {"raw free": Tuple("1", False, True, "as it is")}
LATER = {"raw later": Tuple("1", False, False, "as it is")}
HELD = {"raw stuck": Tuple("1", True, True, "as it is")}
CHANGED = {"raw later": Tuple("1", False, False, "as it is not")}
PURGED, DENIED = ("purged", "1"), ("blocked", "1")
CASES = {
    "gone and recorded": (DUE, {}, {PURGED: [""]}, set(), RIGHT),
    "gone without a word": (DUE, {}, {}, set(), WRONG),
    "gone and recorded twice": (DUE, {}, {PURGED: ["", ""]}, set(), WRONG),
    "gone as the host's": (DUE, {}, {PURGED: [""], ("deleted", "1"): [""]}, set(), WRONG),
    "there, and recorded as gone": (DUE, DUE, {PURGED: [""]}, set(), WRONG),
    "there without a word": (DUE, DUE, {}, set(), SILENT),
    "there, and a check says why": (DUE, DUE, {}, {"W114"}, REFUSED),
    "blocked for no reason": (DUE, DUE, {DENIED: ["X"]}, {"W114"}, WRONG),
    "blocked": (HELD, HELD, {DENIED: ["X"]}, set(), BLOCKED),
    "not due, and there": (LATER, LATER, {}, set(), RIGHT),
    "not due, and gone": (LATER, {}, {PURGED: [""]}, {"W114"}, WRONG),
    "not due, and changed": (LATER, CHANGED, {}, set(), WRONG),
    "worst of several": (DUE | LATER, {}, {PURGED: [""]}, set(), WRONG),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_oracle_tells(case: str) -> None:
    before, after, told, checks, end = CASES[case]
    found = oracle.judge(Seen(before), Seen(after), told, checks)
    assert found["raw"][0] == end


def test_the_oracle_looks_at_what_refers_to_a_row() -> None:
    told = {PURGED: [""]}
    assert oracle.judge(Seen(DUE, {"1"}), Seen({}, set()), told, set())["raw"][0] == RIGHT
    assert oracle.judge(Seen(DUE, {"1"}), Seen({}, {"1"}), told, set())["raw"][0] == WRONG
    assert oracle.judge(Seen(LATER, {"1"}), Seen(LATER, set()), {}, set())["raw"][0] == WRONG
