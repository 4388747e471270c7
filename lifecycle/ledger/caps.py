"""The cap of a policy: how many rows may end in 24 hours, and whether more are due."""

from math import ceil
from typing import Any

from django.db import DEFAULT_DB_ALIAS, DataError, OperationalError, transaction

from lifecycle.compiler.excepted import BY_HAND, HELD, RESTORED, TOLD, excepted
from lifecycle.compiler.keys import label_of
from lifecycle.compiler.partitions import is_partitioned
from lifecycle.compiler.policy_sql import compiled
from lifecycle.compiler.windows import is_windowed
from lifecycle.db.connection import (
    Placed,
    Raw,
    fetch,
    limited,
    scalar,
    statement,
    was_stopped,
)
from lifecycle.ledger import partitions_due
from lifecycle.ledger.pending import DUE_AGENDA
from lifecycle.ledger.windows_due import due_rows
from lifecycle.policy.policy import Policy

PATIENCE = 10.0  # seconds for counting a table


def cap_of(policy: Policy, using: str, counted: bool = False, wanted: int | None = None) -> int:
    """The most rows that may end in 24 hours: a number or a share of the table, the larger.

    The share is of what PostgreSQL's statistics say, which may be old or missing. Before anybody is
    refused for a cap, the rows are `counted`; no further than it takes for `wanted` rows to fit.
    """
    rows = estimated_rows(policy, using)
    if counted and policy.cap_fraction:
        most = None if wanted is None else ceil(wanted / policy.cap_fraction) + 1
        rows = max(rows, counted_rows(policy, using, most))
    return _share(policy, rows)


def room(policy: Policy, using: str, counted: bool = False) -> int:
    """How many rows may still end in this window of 24 hours."""
    spent, allowed = fetch(using, statement(__file__, "rooms"), {"policies": [policy.name]})[0]
    return max(0, cap_of(policy, using, counted) + allowed - spent)


def used_caps(policies: list[Policy], using: str) -> dict[str, tuple[int, int]]:
    """By policy: the rows ended in this window of 24 hours, and how many may in all, by the
    planner's count of its table. Two questions for all of them.
    """
    names = [policy.name for policy in policies]
    tables = {policy.name: compiled(policy).tables[0] for policy in policies}
    rows = estimated_tables([*set(tables.values())], using)
    spent = fetch(using, statement(__file__, "rooms"), {"policies": names})
    return {
        policy.name: (ended, _share(policy, rows[tables[policy.name]]) + allowed)
        for policy, (ended, allowed) in zip(policies, spent, strict=True)
    }


def _share(policy: Policy, rows: int) -> int:
    return max(policy.cap_rows, int(policy.cap_fraction * rows))


def estimated_tables(tables: list[str], using: str) -> dict[str, int]:
    """As `estimated_rows`, of several tables; 0 for one that is not there."""
    return dict(fetch(using, statement(__file__, "tables_rows"), {"tables": tables}))


def room_and_over(policy: Policy, using: str) -> tuple[int, bool]:
    """How many rows may still end, and whether more are due; counted before it says that."""
    left = room(policy, using)
    if not is_over(policy, left, using):
        return left, False
    counted = room(policy, using, counted=True)
    return counted, counted <= left or is_over(policy, counted, using)


def counted_rows(policy: Policy, using: str, most: int | None) -> int:
    """Rows of the policy's table, counted no further than `most`; 0 where that takes too long."""
    text = statement(__file__, "counted_rows", table=compiled(policy).tables[0])
    try:
        with limited(using, PATIENCE):
            return int(scalar(using, text, {"most": most}))
    except OperationalError as error:
        if not was_stopped(error):
            raise
        return 0


def _are_more(policy: Policy, using: str, left: int) -> bool:
    """The same of rows of windows, or of partitions."""
    try:
        with transaction.atomic(using=using):
            counted = partitions_due.due_rows if is_partitioned(policy) else due_rows
            return counted(policy, using, left + 1) > left
    except DataError:
        return True


def is_over(policy: Policy, left: int, using: str = DEFAULT_DB_ALIAS) -> bool:
    """Whether more rows are due now, and would be ended, than the cap leaves."""
    name = {"policy": policy.name, "model": label_of(policy)}
    if is_partitioned(policy):
        return _are_more(policy, using, left)
    if is_windowed(policy) and _are_more(policy, using, left):
        return True
    if scalar(using, statement(__file__, "due_entries", due_agenda=DUE_AGENDA), name) <= left:
        return False
    code = compiled(policy)
    parts: dict[str, Any] = {"state_sql": Raw(code.state_sql), "type": Placed(code.key.cast)}
    exceptions = {"held": HELD, "restored": RESTORED, "by_hand": BY_HAND}
    parts |= {
        name: excepted(code.key.text("state.key"), which) for name, which in exceptions.items()
    }
    parts["told"] = Placed("true")
    if policy.notice:  # what waits for mails is not about to end
        told = excepted(code.key.text("state.key"), TOLD)
        parts["told"] = Placed(f"(notice IS NULL OR {told})")
    text = statement(__file__, "due_rows", **parts)
    try:
        with transaction.atomic(using=using):
            return bool(scalar(using, text, name | {"most": left + 1}) > left)
    except DataError:
        return True  # an expression fails on a row: nobody can say that they are few enough


def estimated_rows(policy: Policy, using: str) -> int:
    """The rows of the policy's table when it was last analysed; 0 when it never was."""
    table = compiled(policy).tables[0]
    return estimated_tables([table], using)[table]
