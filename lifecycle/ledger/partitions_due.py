"""Partitions that are due: put on the agenda once no row can come into them, and counted.

An entry stands for one partition, as one of a window stands for its rows: its window is the upper
bound of the partition's rows. It falls due when the last row that there could be is past its end.
"""

from typing import Any, NamedTuple

from django.db import DEFAULT_DB_ALIAS, OperationalError, transaction

from lifecycle.compiler.excepted import HELD, excepted
from lifecycle.compiler.keys import label_of
from lifecycle.compiler.partitions import is_partitioned, own_column, state_by_moment
from lifecycle.compiler.policy_sql import compiled
from lifecycle.db.connection import Placed, Raw, fetch, scalar, statement, was_stopped
from lifecycle.policy.databases import is_at
from lifecycle.policy.policy import Policy
from lifecycle.policy.registry import all_policies


class Found(NamedTuple):
    """What the rows of a partition are like.

    rows      all of them
    left_out  that `when` leaves out, or that are not past their end by their own columns
    kept      that `keep_while` keeps; held: that a hold on their key keeps
    """

    rows: int
    left_out: int
    kept: int
    held: int

    @property
    def stays(self) -> bool:
        """Whether some row keeps the partition."""
        return bool(self.left_out or self.kept or self.held)


def partitioned_at(using: str = DEFAULT_DB_ALIAS) -> list[Policy]:
    """The policies that end rows with their partitions and whose tables are in a database."""
    return [p for p in all_policies() if is_partitioned(p) and is_at(p.model, using)]


def list_partitions(policy: Policy, using: str = DEFAULT_DB_ALIAS) -> int:
    """Put the partitions on the agenda that are over and not on it; how many."""
    params = {"policy": policy.name, "model": label_of(policy)}
    return int(scalar(using, statement(__file__, "list"), params))


def look_at(policy: Policy, low: str | None, high: str, using: str) -> Found:
    """What the rows of a partition are like, by its bounds as the catalogue has them."""
    column, code = own_column(policy), compiled(policy)
    parts: dict[str, Any] = {"state": Raw(state_by_moment(policy)), "table": code.tables[0]}
    parts |= {"within": _within("state.moment", low), "own_within": _within(column, low)}
    parts["held"] = excepted(code.key.text(code.key_column), HELD)
    params = {"low": low, "high": high, "model": label_of(policy)}
    return Found(*fetch(using, statement(__file__, "look", **parts), params)[0])


def _within(column: str, low: str | None) -> Placed:
    """SQL: whether a column is within `low` and `high`, so that other partitions are not read."""
    quoted = column.replace("%", "%%")
    lowest = "" if low is None else f"{quoted} >= %(low)s AND "
    return Placed(f"{lowest}{quoted} < %(high)s")


def due_rows(policy: Policy, using: str, most: int) -> int:
    """How many rows are in partitions that are due and that nothing keeps, counted partition by
    partition until they are as many as `most`; not where the planner knows of far fewer.

    Each is counted once more before it goes.
    """
    total, due = 0, fetch(using, statement(__file__, "due"), {"policy": policy.name})
    known = [estimate for _, _, estimate in due]
    if all(known) and sum(known) < most / 2:
        return sum(known)
    for low, high, estimate in due:
        total += _would_go(policy, low, high, estimate, using)
        if total >= most:
            break
    return total


def _would_go(policy: Policy, low: str | None, high: str, estimate: int, using: str) -> int:
    """The rows of one, if it may go; by the planner where the server stops the count."""
    try:
        with transaction.atomic(using=using):
            found = look_at(policy, low, high, using)
    except OperationalError as error:
        if not was_stopped(error):
            raise
        return estimate
    return 0 if found.stays else found.rows
