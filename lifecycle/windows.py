"""Policies that go by windows: what their triggers and the sweep read of a table.

A row's end is a column, or a column plus a fixed age, so that "ends before" is a condition on the
column itself and the table's own index finds the rows.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, DataError, connections, transaction
from django.db.models import Q
from psycopg import sql

from .ages import age_of
from .capture import Window
from .compile import compiled, rows_of
from .db import Placed, Raw, fetch, scalar, statement
from .keys import label_of
from .literals import inline
from .places import home, is_at
from .policy import Policy
from .registry import all_policies, policies_of

SPANS = {"hour": timedelta(hours=1), "day": timedelta(days=1)}
MOST = 10_000  # windows of one reading


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


def attempt(using: str, read: Callable[[bool], Any]) -> Any:
    """`read(False)`; where `when` fails on some row `read(True)`, which is not to ask it.

    The look, which comes later, finds such a row among the others; none of them waits for it.
    """
    try:
        with transaction.atomic(using=using):
            return read(False)
    except DataError:
        return read(True)


def within(policy: Policy, any_row: bool = False) -> Placed:
    """SQL: whether a row of the table is in one of `windows`; takes `window_params`.

    `any_row`: whether it matches `when` or not.
    """
    code, own = compiled(policy), windows_of(policy, any_row)
    column = Placed(sql.Identifier(code.tables[0], code.key.column).as_string())
    parts = own.parts | {"column": column, "kind": Placed(code.key.kind)}
    parts["low"] = Placed(own.low("%(first_window)s::timestamptz"))
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


def due_windows(policy: Policy, using: str) -> list[str]:
    """The windows that are due, the oldest first: their starts, as the ledger writes them."""
    found = fetch(using, statement(__file__, "window_due"), {"policy": policy.name})
    return [window for (window,) in found]


def due_rows(policy: Policy, using: str, most: int) -> int:
    """How many rows of windows that are due would be ended, counted no further than `most`."""
    if not (windows := due_windows(policy, using)):
        return 0
    code = compiled(policy)
    column = Placed(sql.Identifier(code.tables[0], code.key.column).as_string())
    parts: dict[str, Any] = {"table": code.tables[0], "column": column}
    params = window_params(policy, windows) | {"model": label_of(policy), "most": most}

    def count(any_row: bool) -> int:
        found = parts | {"within": within(policy, any_row)}
        return int(scalar(using, statement(__file__, "window_rows", **found), params))

    if (rows := int(attempt(using, count))) < most:
        return rows
    parts |= {"state_sql": Raw(code.state_sql), "within": within(policy)}
    return int(scalar(using, statement(__file__, "window_due_rows", **parts), params))


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
    return Windows(*aged[:1], column, aged[1], policy.capture.unit, unit, _matching(policy))


def list_windows(policy: Policy, using: str, past: bool, last: str | None = None) -> tuple[
    int, str | None, int
]:  # fmt: skip
    """Put windows on the agenda that have rows and are not on it: read, last, listed.

    `past`: only those in which some row is past its end; what came with no trigger, or committed
    just after its window was done with, is found so. One look into the index for each window.
    """
    params = windows_of(policy).params | {"policy": policy.name, "model": label_of(policy)}
    params |= {"past": past, "last": last, "most": MOST}

    def read(any_row: bool) -> tuple[Any, ...]:
        return fetch(using, _listing(policy, any_row), params)[0]

    rows, end, listed, _ = attempt(using, read)
    return rows, end, listed


def _listing(policy: Policy, any_row: bool) -> str:
    code, own = compiled(policy), windows_of(policy, any_row)
    column = Placed(sql.Identifier(code.tables[0], code.key.column).as_string())
    parts = own.parts | {"column": column, "kind": Placed(code.key.kind)}
    low = Placed(own.low("lc_known.start"))
    return statement(__file__, "window_list", table=code.tables[0], low=low, **parts)


def windowed_at(using: str = DEFAULT_DB_ALIAS) -> list[Policy]:
    """The policies that go by windows and whose tables are in a database."""
    return [p for p in all_policies() if is_windowed(p) and is_at(p.model, using)]


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


def _matching(policy: Policy) -> str:
    """The condition as the ORM writes it, so that an index with the same condition serves."""
    if policy.when == Q():
        return "true"
    query = rows_of(policy).filter(policy.when).values_list("pk").query
    try:
        text, params = query.get_compiler(connection=connections[home(policy.model)]).as_sql()
    except EmptyResultSet:
        return "false"
    return f"({inline(text, params).split(' WHERE ', 1)[1]})"
