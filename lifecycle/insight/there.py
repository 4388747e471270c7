"""Of the rows that a policy's agenda lists, those that are in their table now.

An agenda entry counts the rows of its event. The site may have deleted some since, and a row whose
due time has moved is listed twice until the earlier one has passed. Counting what is there reads
the keys of the entries and probes the table by them, which is done for a policy that lists few
rows; of others the agenda's own figures are said to be the most that there can be.
"""

from datetime import date
from typing import Any

from django.db import DatabaseError, transaction

from lifecycle.compiler.partitions import is_partitioned
from lifecycle.compiler.policy_sql import compiled
from lifecycle.compiler.windows import is_windowed
from lifecycle.db.connection import Placed, fetch, local_settings, statement
from lifecycle.policy.policy import Policy

MOST = 10_000  # rows on the agenda of a policy: more are not looked up
PATIENCE = "2s"
# Each key is probed: a plan that reads the whole table may be cheaper, and take minutes.
# Before PostgreSQL 18 such a plan looks so dear that it would be compiled.
BY_KEY = {
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "jit": "off",
}
COUNTS = ("scheduled", "due", "tombstoned", "kept", "blocked", "failed", "listed")


def counts_there(policy: Policy, listed: int, using: str) -> dict[str, int] | None:
    """Rows by `COUNTS`, where the agenda lists `listed`; None where only its own can be told."""
    rows = _ask("counts_there", policy, listed, using, {})
    return dict(zip(COUNTS, rows[0], strict=True)) if rows else None


def days_there(
    policy: Policy, listed: int, params: dict[str, Any], using: str
) -> dict[date, int] | None:
    """As the statement `forecast_days` with its parameters; None where only that can be told."""
    rows = _ask("days_there", policy, listed, using, params)
    return None if rows is None else dict(rows)


def _ask(
    name: str, policy: Policy, listed: int, using: str, params: dict[str, Any]
) -> list[Any] | None:
    if listed > MOST or is_windowed(policy) or is_partitioned(policy):
        return None
    text = _statement(name, policy)
    try:
        with (
            transaction.atomic(using=using),
            local_settings(using, statement_timeout=PATIENCE, **BY_KEY),
        ):
            return fetch(using, text, params | {"policy": policy.name})
    except DatabaseError:
        # A role that may not read the site's table, a table that is locked, a slow disk.
        return None


def _statement(name: str, policy: Policy) -> str:
    code = compiled(policy)
    kind = code.key.kind
    keys = f"SELECT unnest(owner.subjects_{kind})"
    if kind == "bigint":
        ends = "lower(owner.subjects_range), upper(owner.subjects_range) - 1"
        keys += f" UNION ALL SELECT generate_series({ends})"
    return statement(
        __file__, name, keys=Placed(keys), type=Placed(code.key.cast), table=code.tables[0],
        pk=code.key.column,
    )  # fmt: skip
