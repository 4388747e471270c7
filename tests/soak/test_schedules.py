"""Two thousand schedules of faults, or those of SCHEDULES=FROM:UNTIL, after the first thirty."""

import os

import pytest

from tests.faults.test_schedules import ours, schedules

FIRST, LAST = (int(part) for part in os.environ.get("SCHEDULES", "30:2000").split(":"))
AT_ONCE = 100


@ours
@pytest.mark.parametrize("first", range(FIRST, LAST, AT_ONCE))
def test_schedules_end_as_they_must(first: int) -> None:
    run = schedules(first, min(first + AT_ONCE, LAST))
    print(run.stdout)
    assert run.returncode == 0, run.stdout[-5000:] + run.stderr[-5000:]
