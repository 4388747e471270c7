"""How checks read a policy: the ORM's query of its expressions, and the SQL compiled from it."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.core.exceptions import FieldDoesNotExist, FieldError
from django.db.models import CompositePrimaryKey

from lifecycle.compiler.policy_sql import compiled, due_query, select_due, state_query
from lifecycle.policy.policy import Policy

#: string literals, also with backslash escapes, then quoted identifiers
QUOTED = re.compile(r"""E'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*\"""", re.DOTALL)


def due(policy: Policy) -> Any | None:
    """The query of `when` and `expires`; None where it cannot be made, which E005 reports."""
    return _made(due_query, policy)


def state(policy: Policy) -> Any | None:
    """The query of all expressions, `keep_while` and `grace` included; None as for `due`."""
    return _made(state_query, policy)


def due_sql(policy: Policy) -> str:
    """The SQL of `when` and `expires` without its literals and names; '' as for `due`."""
    return QUOTED.sub("''", _made(select_due, policy) or "")


def state_sql(policy: Policy) -> str:
    """The SQL of all expressions; '' as for `due`."""
    code = _made(compiled, policy)
    return code.state_sql if code else ""


def problem(policy: Policy) -> Exception | None:
    """What the ORM raises when it compiles the policy."""
    try:
        compiled(policy)
    except Exception as error:
        return error
    return None


def has_composite_key(policy: Policy) -> bool:
    """Whether the model's key is more than one column."""
    return isinstance(policy.model._meta.pk, CompositePrimaryKey)


def walk(node: Any) -> Iterator[Any]:
    """A resolved expression and everything inside it, subqueries left whole."""
    yield node
    for inner in getattr(node, "get_source_expressions", list)():
        if inner is not None:
            yield from walk(inner)


def joins(query: Any) -> list[Any]:
    """The joins of a query, but for those to the model's own inheritance parents."""
    used = [join for alias, join in query.alias_map.items() if query.alias_refcount[alias]]
    return [join for join in used if getattr(join, "join_field", None) and not _to_parent(join)]


def _to_parent(join: Any) -> bool:
    return bool(getattr(join.join_field.remote_field, "parent_link", False))


def _made(make: Any, policy: Policy) -> Any:
    if has_composite_key(policy):
        return None
    try:
        return make(policy)
    except Exception:
        return None


def output(policy: Policy, expression: Any) -> Any:
    """The field type that an expression gives, where it is known."""
    query = due(policy)
    if query is None or expression is None or isinstance(expression, timedelta):
        return None
    if isinstance(expression, str):
        return _field(policy, expression)
    try:
        return expression.resolve_expression(query).output_field
    except (FieldError, AttributeError):
        return None  # of mixed types, which PostgreSQL may well add up


def _field(policy: Policy, name: str) -> Any:
    try:
        return policy.model._meta.get_field(name)
    except FieldDoesNotExist:
        return None


def is_to_many(join: Any) -> bool:
    """Whether a join may give several rows for one."""
    return bool(join.join_field.one_to_many or join.join_field.many_to_many)
