"""Policies whose rows end with their partitions, and how the rows of one are read."""

import json
from typing import Any

from django.db.models import F
from psycopg import sql

from lifecycle.compiler.keys import key_of
from lifecycle.compiler.policy_sql import due_of, keep_of, matches_of, rows_of, select
from lifecycle.compiler.row_tables import tables_of
from lifecycle.policy.capture_modes import Partitions
from lifecycle.policy.fixed_age import age_of
from lifecycle.policy.policy import Policy
from lifecycle.policy.registry import policies_of


def is_partitioned(policy: Policy) -> bool:
    """Whether the policy's rows end with their whole partitions."""
    return isinstance(policy.capture, Partitions)


def go_whole(model: Any) -> bool:
    """Whether rows of the model's table end with their partitions, and not singly."""
    return any(is_partitioned(policy) for policy in policies_of(model))


def by_field(policy: Policy) -> str:
    """The name of the field by whose column the table is partitioned."""
    aged = age_of(policy.expires)
    if aged is None or not is_partitioned(policy):
        raise TypeError(f"{policy} has no partitions")
    return aged[0]


def column_of(policy: Policy) -> str:
    """The column by which the table is partitioned."""
    own: Any = policy.model._meta.concrete_model
    return str(own._meta.get_field(by_field(policy)).column)


def stored_partitions(policy: Policy) -> str | None:
    """What the functions of the database go by, as JSON; None of any other policy."""
    aged = age_of(policy.expires)
    if aged is None or not is_partitioned(policy):
        return None
    stored = {"table": tables_of(policy.model)[0], "column": column_of(policy)}
    seconds = aged[1].total_seconds()
    return json.dumps(stored | {"key": key_of(policy.model).column, "seconds": seconds})


def state_by_moment(policy: Policy) -> str:
    """SQL: matches, due and keep of each row of the table, and its `moment`."""
    columns = {"matches": matches_of(policy), "due": due_of(policy), "keep": keep_of(policy)}
    return select(rows_of(policy), **columns, moment=F(by_field(policy)))


def own_column(policy: Policy) -> str:
    """The column, quoted with its table."""
    return sql.Identifier(tables_of(policy.model)[0], column_of(policy)).as_string()
