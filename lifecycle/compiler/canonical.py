"""A declared value as plain data, the same in every process and with every version of Django."""

import re
from datetime import timedelta
from enum import Enum
from typing import Any

from django.db.models import Field, Model, QuerySet, Subquery
from django.db.models.lookups import Lookup
from django.db.models.sql import Query
from django.utils.tree import Node

from lifecycle.exceptions import PolicyError


def canonical(value: Any) -> Any:
    """Plain data that stands for a declared value."""
    if isinstance(value, timedelta):
        return ("seconds", value / timedelta(seconds=1))
    if isinstance(value, QuerySet | Query):
        return _canonical_query(value.query if isinstance(value, QuerySet) else value)
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


def _canonical_query(query: Any) -> Any:
    """A subquery: what it selects, from where, how many, and what it is combined with."""
    model = query.model._meta
    return (
        "query",
        (model.label, model.db_table),
        canonical(query.where),
        canonical(query.select),
        canonical(query.annotations),
        (query.low_mark, query.high_mark, canonical(query.order_by), query.standard_ordering),
        (query.combinator, canonical(query.combined_queries)),
    )


def _canonical_plain(value: Any) -> Any:
    if isinstance(value, type) and issubclass(value, Model):
        return value._meta.label
    if isinstance(value, Model):
        return (value._meta.label, canonical(value.pk))
    if isinstance(value, Field):
        options = value.deconstruct()[3]
        return (type(value).__name__, value.name, *([canonical(options)] if options else []))
    if isinstance(value, Enum):
        return (type(value).__name__, canonical(value.value))
    if isinstance(value, dict):
        return [(key, canonical(item)) for key, item in sorted(value.items())]
    if isinstance(value, list | tuple | set | frozenset):
        return [canonical(item) for item in (sorted(value) if isinstance(value, set) else value)]
    if hasattr(value, "target"):  # a resolved column of a subquery
        table = value.target.model._meta
        return ("column", table.label, table.db_table, value.target.column)
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
