"""Checks of policies that end rows with their partitions."""

from collections.abc import Iterator

from django.core.checks import CheckMessage

from lifecycle.checks.messages import error, warning
from lifecycle.compiler.partitions import is_partitioned
from lifecycle.db.connection import scalar, statement
from lifecycle.insight.partitions import of_table
from lifecycle.ledger.caps import cap_of
from lifecycle.ledger.partitions_due import partitioned_at
from lifecycle.policy.partitions import why_unfit
from lifecycle.policy.policy import Policy


def may_be_dropped(policy: Policy) -> list[CheckMessage]:
    """E056: a declaration by which no partition may be dropped."""
    why = why_unfit(policy) if is_partitioned(policy) else ""
    if not why:
        return []
    text = f"No partition of its table is dropped: {why}."
    return [error(56, text, "Use capture=Rows() or Window(), or change what stands there.", policy)]


PARTITIONS = (may_be_dropped,)


def partitions(using: str) -> Iterator[CheckMessage]:
    """W055, W056: partitions that never go, or that hold more rows than the cap lets go."""
    for policy in partitioned_at(using):
        for problem in of_table(policy, using):
            hint = "`manage.py lifecycle status` says so too; until then those rows stay."
            yield warning(55, f"{problem[0].upper()}{problem[1:]}.", hint, policy)
        most = scalar(using, statement(__file__, "largest"), {"policy": policy.name})
        if most > cap_of(policy, using):
            text = f"A partition has about {most:,} rows, which is more than the cap."
            hint = "Raise cap_rows or cap_fraction: one partition goes at a time, and whole."
            yield warning(56, text, hint, policy)
