"""The rows of the policies, as the promises compare them with the ledger."""

from django.db import DEFAULT_DB_ALIAS, DatabaseError, transaction

from lifecycle.compiler.keys import label_of
from lifecycle.compiler.policy_sql import compiled
from lifecycle.compiler.row_tables import models_of
from lifecycle.compiler.windows import window_column
from lifecycle.db.connection import ALL_ROWS, fetch
from lifecycle.db.sql import literal
from lifecycle.db.tables import is_elsewhere, tables_in
from lifecycle.policy.policy import Policy
from lifecycle.policy.registry import all_policies

NO_ROWS = (
    "SELECT NULL::text AS policy, NULL AS model, NULL AS key, NULL::timestamptz AS due,"
    " NULL::timestamptz AS window_at LIMIT 0"
)


def unreadable(using: str = DEFAULT_DB_ALIAS) -> list[str]:
    """Policies whose rows cannot be compared with the ledger.

    Their SQL fails on one, rows are hidden from this role, or their table is another one here.
    """
    captured = captured_of(policies_in(using))
    return sorted({p.name for p in captured} - {p.name for p in readable_of(using, captured)})


def rows_of(policies: list[Policy]) -> str:
    """SQL: the rows of these policies that have an end by their own columns."""
    return " UNION ALL ".join(map(_rows, policies)) or NO_ROWS


def policies_in(using: str) -> list[Policy]:
    """The policies of which this database has the table."""
    tables = tables_in(using)
    return [policy for policy in all_policies() if compiled(policy).tables[0] in tables]


def captured_of(known: list[Policy]) -> list[Policy]:
    """Those with triggers: signals do not see every write, so that their ledger need not know every
    row."""
    return [policy for policy in known if policy.capture.triggers]


def readable_of(using: str, captured: list[Policy]) -> list[Policy]:
    """Those of which every row can be read, by SQL that fails on none."""
    captured = _not_elsewhere(using, captured)
    return (
        captured
        if _reads(using, rows_of(captured))
        else [p for p in captured if _reads(using, _rows(p))]
    )


def _not_elsewhere(using: str, policies: list[Policy]) -> list[Policy]:
    """In one statement, for mostly there is none."""
    if not is_elsewhere(using, {model for policy in policies for model in models_of(policy)}):
        return policies
    return [policy for policy in policies if not is_elsewhere(using, models_of(policy))]


def _reads(using: str, rows: str) -> bool:
    try:
        with transaction.atomic(using=using):
            fetch(using, ALL_ROWS)
            fetch(using, f"SELECT count(due) FROM ({rows}) AS rows")  # noqa: S608
    except DatabaseError:
        return False
    return True


def _rows(policy: Policy) -> str:
    """Rows that have an end by their own columns."""
    return (
        f"SELECT {literal(policy.name)}::text AS policy, {literal(label_of(policy))} AS model,"  # noqa: S608
        f" {compiled(policy).key.text('key')} AS key, lifecycle.finite_v1(due::timestamptz) AS due,"
        f" {window_column(policy)}"
        f" AS window_at FROM ({compiled(policy).due_sql}) AS compiled"
        " WHERE lifecycle.finite_v1(due::timestamptz) IS NOT NULL"
    )
