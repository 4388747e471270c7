"""A declaration as a short hash that does not change with the version of Django or psycopg.

Made from what the user declared and from the names of the columns it reaches, not from the SQL
that some version of the ORM makes of it: upgrading a library must not make a migration, while a
renamed column must.
"""

import hashlib
import re
from datetime import timedelta
from functools import cache
from typing import Any

from django.db.models import F, Field, Model, Q, QuerySet, Subquery
from django.db.models.lookups import Lookup
from django.db.models.sql import Query
from django.utils.tree import Node

from .compile import tables_of
from .errors import PolicyError
from .keys import key_of, label_of
from .policy import Policy

CAPTURED = ("when", "expires", "resolution", "on_request")
ACTED_ON = (*CAPTURED, "grace", "keep_while", "disposition", "capture", "identity")


@cache
def fingerprint(policy: Policy) -> str:
    """Of all that decides which rows end, when and how. Caps and batch sizes are left out."""
    return _hash(policy, ACTED_ON)


@cache
def capture_fingerprint(policy: Policy) -> str:
    """Of what the triggers need; an `Update`'s grace is part of its due time."""
    return _hash(policy, ACTED_ON[:5] if not policy.disposition.hides else CAPTURED)


def _hash(policy: Policy, options: tuple[str, ...]) -> str:
    parts: list[Any] = [policy.name, label_of(policy), *tables_of(policy.model)]
    parts += [key_of(policy.model), columns(policy)]
    parts += [canonical(getattr(policy, option)) for option in options]
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def columns(policy: Policy) -> list[tuple[str, str]]:
    """The table's own fields that `when` and `expires` name, with their columns."""
    names = {*field_names(policy.when), *field_names(policy.expires)}
    fields = {f.name: f for f in policy.model._meta.get_fields() if isinstance(f, Field)}
    return sorted((name, str(fields[name].column)) for name in names if name in fields)


def field_names(value: Any) -> set[str]:
    """The first part of every field path that an expression names."""
    if isinstance(value, F):
        return {str(value.name).split("__")[0]}  # type: ignore[attr-defined]
    if isinstance(value, Q):
        named = {child[0].split("__")[0] for child in value.children if isinstance(child, tuple)}
        inner = [child[1] if isinstance(child, tuple) else child for child in value.children]
        return named.union(*map(field_names, inner))
    if hasattr(value, "get_source_expressions"):
        return set().union(*map(field_names, value.get_source_expressions()))
    return set()


def canonical(value: Any) -> Any:
    """Plain data that stands for a declared value."""
    if isinstance(value, timedelta):
        return ("seconds", value / timedelta(seconds=1))
    if isinstance(value, QuerySet | Query):
        query = value.query if isinstance(value, QuerySet) else value
        return ("query", query.model._meta.label if query.model else "", canonical(query.where))
    if isinstance(value, Subquery):  # also Exists
        return (type(value).__name__, canonical(value.query))
    if isinstance(value, Lookup):
        return (value.lookup_name, canonical(value.lhs), canonical(value.rhs))
    if isinstance(value, Node):
        children = [canonical(child) for child in value.children]
        return (type(value).__name__, value.connector, value.negated, children)
    if hasattr(value, "declaration"):
        return canonical(value.declaration())
    return _canonical_plain(value)


def _canonical_plain(value: Any) -> Any:
    if isinstance(value, type) and issubclass(value, Model):
        return value._meta.label
    if isinstance(value, Field):
        return (type(value).__name__, value.name)
    if isinstance(value, dict):
        return [(key, canonical(item)) for key, item in sorted(value.items())]
    if isinstance(value, list | tuple | set | frozenset):
        return [canonical(item) for item in (sorted(value) if isinstance(value, set) else value)]
    if hasattr(value, "target"):  # a resolved column of a subquery
        return ("column", value.target.model._meta.label, value.target.column)
    if hasattr(value, "_constructor_args"):
        args, kwargs = value._constructor_args
        return (type(value).__name__, canonical(args), canonical(kwargs))
    if hasattr(value, "name"):
        return (type(value).__name__, value.name)
    return _written(value)


def _written(value: Any) -> str:
    """A plain value's own text; refuses one that is an address, which no two processes share."""
    text = repr(value)
    if re.search(r" at 0x[0-9a-f]+>", text):
        raise PolicyError(f"A policy cannot be compared with the database's: {text} has no name.")
    return text
