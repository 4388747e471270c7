"""Checks of `when`, `expires`, `grace` and `keep_while`.

A trigger evaluates `when` and `expires` over the rows of one statement: it sees those rows' own
columns and nothing else, and its result must still hold when the worker evaluates the row.
"""

import re

from django.core.checks import CheckMessage
from django.db.models import DateField, DurationField, GeneratedField

from lifecycle.checks import policy_query
from lifecycle.checks.messages import error
from lifecycle.policy.policy import Policy

VOLATILE = re.compile(
    r"\b(now|clock_timestamp|statement_timestamp|transaction_timestamp|timeofday|random"
    r"|random_normal|gen_random_uuid|uuid_generate_v\d\w*|uuidv[47]|nextval|currval|lastval|setval"
    r"|txid_current|pg_current_xact_id|current_setting)\s*\("
    r"|\b(current_timestamp|current_date|current_time|localtimestamp|localtime|current_user"
    r"|session_user|current_role)\b",
    re.IGNORECASE,
)


def compiles(policy: Policy) -> list[CheckMessage]:
    """E005: an unknown field, or an expression that the ORM cannot make SQL of."""
    problem = None if policy_query.has_composite_key(policy) else policy_query.problem(policy)
    if problem is None:
        return []
    hint = "Name fields of the model, and expressions that Django can compile for PostgreSQL."
    return [error(5, f"The policy does not compile: {problem}", hint, policy)]


def own_columns(policy: Policy) -> list[CheckMessage]:
    """E001: a join to another table."""
    query = policy_query.due(policy)
    if query is None:
        return []
    hint = "Copy the value into a column of this table, or put the condition into keep_while."
    tables = sorted({join.table_name for join in policy_query.joins(query)})
    text = "`when` and `expires` reach into {}: a trigger sees this table's own columns only."
    return [error(1, text.format(", ".join(tables)), hint, policy)] if tables else []


def no_subquery(policy: Policy) -> list[CheckMessage]:
    """E002: a subquery, whose answer may change without any write to this table."""
    if len(re.findall(r"\bSELECT\b", policy_query.due_sql(policy), re.IGNORECASE)) < 2:
        return []
    text = "`when` and `expires` hold a subquery: its answer changes without a write to this table."
    return [error(2, text, "Put the condition into keep_while=Exists(...).", policy)]


def no_clock(policy: Policy) -> list[CheckMessage]:
    """E003: volatile, or dependent on the clock or the session."""
    match = VOLATILE.search(policy_query.due_sql(policy))
    if not match:
        return []
    name = match[1] or match[2]
    text = f"`when` and `expires` call {name}: it gives another answer at every look."
    hint = "`expires` is the moment a row ends, for example F('created_at') + timedelta(days=30)."
    return [error(3, text, f"{hint} The worker compares it with the clock.", policy)]


def no_virtual_column(policy: Policy) -> list[CheckMessage]:
    """E004: a generated column that is not stored; a trigger reads NULL in its place."""
    query = policy_query.due(policy)
    nodes = (
        [n for each in query.annotations.values() for n in policy_query.walk(each)] if query else []
    )
    fields = {getattr(node, "target", None) for node in nodes}
    hint = "Store it: GeneratedField(..., db_persist=True)."
    return [
        error(4, f"{field.name!r} is a virtual column, which triggers read as NULL.", hint, policy)
        for field in fields
        if isinstance(field, GeneratedField) and not field.db_persist  # type: ignore[attr-defined]
    ]


def expires_is_a_moment(policy: Policy) -> list[CheckMessage]:
    """E006: `expires` is known not to be a date or a moment."""
    field = policy_query.output(policy, policy.expires)
    if field is None or isinstance(field, DateField):
        return []
    text = f"`expires` is a {type(field).__name__}, not a moment."
    hint = "Name a DateTimeField or DateField, or an expression with such an output_field."
    return [error(6, text, hint, policy)]


def grace_is_a_duration(policy: Policy) -> list[CheckMessage]:
    """E007: `grace` is known not to be a duration."""
    field = policy_query.output(policy, policy.grace)
    if field is None or isinstance(field, DurationField):
        return []
    text = f"`grace` is a {type(field).__name__}, not a duration."
    return [error(7, text, "Give a timedelta, or an expression over a DurationField.", policy)]


def one_row_each(policy: Policy) -> list[CheckMessage]:
    """E008: `keep_while` or `grace` joins a to-many relation, so a row is counted several times."""
    query = policy_query.state(policy)
    multiple = [j for j in policy_query.joins(query) if policy_query.is_to_many(j)] if query else []
    if not multiple:
        return []
    text = f"`keep_while` or `grace` joins {multiple[0].table_name}, which has several rows for one"
    hint = "Use keep_while=Exists(Child.objects.filter(parent=OuterRef('pk')))."
    return [error(8, f"{text} row of this table.", hint, policy)]


def no_frozen_now(policy: Policy) -> list[CheckMessage]:
    """E009: `timezone.now()` was called in the declaration, and is a constant from then on."""
    # Nobody writes microseconds by hand.
    if not re.search(r"'\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+", policy_query.state_sql(policy)):
        return []
    text = "The declaration holds a time to the microsecond, another one in each process."
    hint = "Leave timezone.now() out of it: the worker compares `expires` with the clock."
    return [error(9, text, hint, policy)]


EXPRESSIONS = (
    compiles,
    own_columns,
    no_subquery,
    no_clock,
    no_virtual_column,
    expires_is_a_moment,
    grace_is_a_duration,
    one_row_each,
    no_frozen_now,
)
