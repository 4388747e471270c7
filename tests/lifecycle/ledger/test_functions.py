"""Small SQL functions that stand for a condition cost what the condition costs."""

import pytest
from django.db import connection

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "condition",
    [
        "lifecycle.in_force_v1(until, lifecycle.now_v1())",
        "lifecycle.in_force_v1(until, (SELECT lifecycle.now_v1()))",
        "lifecycle.window_text_v1(until) > ''",
    ],
)
def test_the_planner_writes_it_into_the_query(condition: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (VERBOSE) SELECT FROM lifecycle_exception WHERE {condition}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "until" in plan
    assert "in_force_v1" not in plan
    assert "window_text_v1" not in plan


def test_all_paused_is_asked_once() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "EXPLAIN (VERBOSE) SELECT FROM lifecycle_agenda WHERE NOT lifecycle.all_paused_v1()"
        )
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "One-Time Filter: (NOT lifecycle.all_paused_v1())" in plan
