"""Schedules end as they must; the oracle sees what is planted."""

import re
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings

from tests.faults.oracle import Known, Oracle, wrong
from tests.faults.schedule import drawn
from tests.infra.servers import ROOT

ours = pytest.mark.skipif(
    not settings.EMBEDDED_DATABASE, reason="a server given by DATABASE_URL is not ours to crash"
)


@ours
@pytest.mark.parametrize(
    "first", [0, *(pytest.param(first, marks=pytest.mark.slow) for first in range(5, 30, 5))]
)
def test_schedules_end_as_they_must(first: int) -> None:
    run = schedules(first, first + 5)
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]
    assert len(re.findall(r"^seed \d+: [\d.]+ s, 0 wrong$", run.stdout, re.MULTILINE)) == 5


def schedules(first: int, last: int) -> "subprocess.CompletedProcess[str]":
    """Those of seeds from the first up to but without the last, in a process of their own."""
    command = [sys.executable, "-m", "tests.faults", "--seeds", f"{first}:{last}"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_a_seed_is_one_schedule() -> None:
    assert drawn(7) == drawn(7)
    assert drawn(7) != drawn(8)
    assert {step.what for seed in range(50) for step in drawn(seed)} >= {"kill", "crash", "cut"}


class Answers:
    """A database that gives these rows and events."""

    def __init__(self, there: dict[str, list[int]], ended: list[tuple[str, int, float]]) -> None:
        self.there, self.ended = there, ended

    def execute(self, sql: str) -> Any:
        names = [name for name in self.there if f"faults_{name}" in sql]
        self.found = [(key,) for key in self.there[names[0]]] if names else self.ended
        return self

    def fetchall(self) -> list[Any]:
        return self.found

    def __iter__(self) -> Any:
        return iter(self.found)


#: what is planted, and what the oracle has to say of it
PLANTED = {
    "a live row is gone": ({"note": []}, [], {}, "note 1 is gone before its time"),
    "a row that ended is there": ({"photo": [2]}, [("photo", 2, 60)], {}, "photo 2 is still there"),
    "no event": ({}, [], {}, "photo 2 has ended, and no event says so"),
    "twice": ({}, [("photo", 2, 60), ("photo", 2, 61)], {}, "photo 2 has ended twice"),
    "too early": ({}, [("photo", 2, 40)], {}, "ended 10.000 s before it was due"),
    "held": ({}, [("line", 3, 75)], {}, "ended while it was held"),
    "a file of a live row": ({"photo": [4]}, [], {"d.jpg": None}, "('photo', 4): its file is gone"),
    "a file too many": ({}, [], {"b.jpg": b""}, "('photo', 2): its file is still there"),
    "no archive": ({}, [("line", 3, 95)], {}, "line 3 has ended, and no archive has it"),
}


@pytest.mark.parametrize("name", PLANTED)
def test_the_oracle_sees(name: str) -> None:
    there, ended, objects, said = PLANTED[name]
    oracle = Oracle()
    oracle.add(Known("note", 1, 500.0, "note"))
    oracle.add(Known("photo", 2, 50.0, "photo", "b.jpg"))
    oracle.add(Known("line", 3, 50.0, "line", holds=[(70.0, 80.0)]))
    oracle.add(Known("photo", 4, 500.0, "photo", "d.jpg"))
    rows: dict[str, list[int]] = {"note": [1], "photo": [4], "line": []} | there
    stored = {"d.jpg": b""} | objects
    bucket = {name: body for name, body in stored.items() if body is not None}
    events = [(f"faults.{kind}", key, float(at)) for kind, key, at in ended]
    found = wrong(oracle, Answers(rows, events), bucket, now=100.0)  # type: ignore[arg-type]
    assert [each for each in found if said in each], found
