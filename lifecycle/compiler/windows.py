"""Policies that go by windows: what their triggers and the sweep read of a table.

A row's end is a column, or a column plus a fixed age, so that "ends before" is a condition on the
column itself and the table's own index finds the rows.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import Q
from psycopg import sql

from lifecycle.compiler.excepted import OF_POLICY, excepted
from lifecycle.compiler.policy_sql import compiled, rows_of
from lifecycle.db.connection import Placed, Raw, statement
from lifecycle.db.rows import home
from lifecycle.db.sql import inline
from lifecycle.policy.capture_modes import Window
from lifecycle.policy.fixed_age import age_of
from lifecycle.policy.policy import Policy
from lifecycle.policy.registry import policies_of

SPANS = {"hour": timedelta(hours=1), "day": timedelta(days=1)}


@dataclass(frozen=True)
class Windows:
    """How the rows of a policy's windows are found.

    moment    the column, quoted with its table
    age       what its value is added to: the row ends at their sum
    unit      hour, day or month
    every     the period at whose start windows fall due; None: when they are over
    matching  the policy's `when`, as a condition on the table
    """

    field: str
    moment: str
    age: timedelta
    unit: str
    every: str | None
    matching: str

    @property
    def params(self) -> dict[str, Any]:
        return {"unit": self.unit, "every": self.every, "age": self.age}

    @property
    def parts(self) -> dict[str, Any]:
        return {"moment": Raw(self.moment), "matching": Raw(self.matching)}

    def start(self, moment: str) -> str:
        """SQL: the window of a moment, in a form that costs little for each row.

        A truncation looks for the time zone by its name, which only months need.
        """
        if self.unit not in SPANS:
            return f"lifecycle.window_v1({moment}, '{self.unit}')"
        return f"date_bin('1 {self.unit}', {moment}, timestamptz '2000-01-01 00:00:00+00')"

    def low(self, start: str) -> str:
        """SQL: from which value of the column on rows are in the window that begins at `start`.

        `-infinity` and dates before Christ are in the first window that there is.
        """
        first = f"{start} <= timestamptz '0001-01-02 00:00:00+00'"
        return f"CASE WHEN {first} THEN '-infinity' ELSE {start} - %(age)s::interval END"


def within(policy: Policy, any_row: bool = False) -> Placed:
    """SQL: whether a row of the table is in one of `windows`; takes `window_params`.

    `any_row`: whether it matches `when` or not.
    """
    code, own = compiled(policy), windows_of(policy, any_row)
    column = Placed(code.key_column)
    parts = own.parts
    parts["low"] = Placed(own.low("%(first_window)s::timestamptz"))
    parts["excepted"] = excepted(code.key.text(column), OF_POLICY)
    return Placed(statement(__file__, "window_within", **parts))


def window_params(policy: Policy, windows: list[str]) -> dict[str, Any]:
    """The parameters of `within`; the windows in their order."""
    own = windows_of(policy)
    named = {"policy": policy.name, "windows": windows, "gaps": _have_gaps(windows, own.unit)}
    return own.params | named | {"first_window": windows[0], "last_window": windows[-1]}


def _have_gaps(windows: list[str], unit: str) -> bool:
    """Whether windows in their order do not follow one another; of months it is not asked."""
    if len(windows) < 2 or unit not in SPANS:
        return len(windows) > 1
    first, last = (datetime.fromisoformat(each) for each in (windows[0], windows[-1]))
    return last - first != (len(windows) - 1) * SPANS[unit]


def is_windowed(policy: Policy) -> bool:
    """Whether the policy's rows go by windows."""
    return isinstance(policy.capture, Window)


def counts_only(model: Any) -> bool:
    """Whether the ledger may not name rows of the model's table: their keys are secrets."""
    return any(not policy.capture.record_subjects for policy in policies_of(model))


@cache
def windows_of(policy: Policy, any_row: bool = False) -> Windows:
    """How the policy's windows are read; it is one that goes by windows."""
    if any_row:
        return replace(windows_of(policy), matching="true")
    aged = age_of(policy.expires)
    if aged is None or not isinstance(policy.capture, Window):
        raise TypeError(f"{policy} has no windows")
    column = _column(policy, aged[0])
    every = getattr(policy.disposition, "every", None)
    unit = every.split()[1] if every else None
    return Windows(*aged[:1], column, aged[1], policy.capture.unit, unit, matching_of(policy))


def window_due_of(policy: Policy) -> Raw:
    """SQL: when the window falls due in which a row with the column `due` ends."""
    own = windows_of(policy)
    every = f"'{own.every}'" if own.every else "NULL"
    return Raw(
        "lifecycle.window_due_v1(lifecycle.window_end_v1("
        f"lifecycle.finite_v1(due::timestamptz), '{own.unit}'), {every})"
    )


def window_column(policy: Policy) -> Placed:
    """SQL: the window of a row with the column `due`; NULL where the policy has none."""
    if not isinstance(policy.capture, Window):
        return Placed("NULL::timestamptz")
    return Placed(
        f"lifecycle.window_v1(lifecycle.finite_v1(due::timestamptz), '{policy.capture.unit}')"
    )


def _column(policy: Policy, name: str) -> str:
    concrete: Any = policy.model._meta.concrete_model
    field = concrete._meta.get_field(name)
    return sql.Identifier(concrete._meta.db_table, field.column).as_string()


def matching_of(policy: Policy) -> str:
    """The condition as the ORM writes it, so that an index with the same condition serves."""
    if policy.when == Q():
        return "true"
    query = rows_of(policy).filter(policy.when).values_list("pk").query
    try:
        text, params = query.get_compiler(connection=connections[home(policy.model)]).as_sql()
    except EmptyResultSet:
        return "false"
    return f"({inline(text, params).split(' WHERE ', 1)[1]})"
