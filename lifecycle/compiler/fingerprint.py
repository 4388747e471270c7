"""A declaration as a short hash that does not change with the version of Django or psycopg.

Made from what the user declared and from the names of the columns it reaches, not from the SQL
that some version of the ORM makes of it: upgrading a library must not make a migration, while a
renamed column must.
"""

import hashlib
import re
from collections.abc import Iterator
from datetime import timedelta
from enum import Enum
from functools import cache
from typing import Any

from django.db.models import F, Field, Model, QuerySet, Subquery
from django.db.models.lookups import Lookup
from django.db.models.sql import Query
from django.utils.tree import Node

from lifecycle.compiler.keys import key_of, label_of
from lifecycle.compiler.row_tables import tables_of
from lifecycle.exceptions import PolicyError
from lifecycle.policy.capture_modes import Window
from lifecycle.policy.options import CAPTURE, ENDING
from lifecycle.policy.policy import OPTIONS, Policy

CAPTURED = tuple(name for name, option in OPTIONS.items() if option.decides == CAPTURE)
DECIDING = (*CAPTURED, *(name for name, option in OPTIONS.items() if option.decides == ENDING))


@cache
def fingerprint(policy: Policy) -> str:
    """Of all that decides which rows end, when and how. Caps and batch sizes are left out."""
    return _hash(policy, DECIDING)


@cache
def capture_fingerprint(policy: Policy) -> str:
    """Of the options that are part of the triggers' SQL.

    Of a window also its size and the period of its archives; of an `Update` also its grace, which
    is part of its due time.
    """
    if isinstance(policy.capture, Window):
        return _hash(policy, (*CAPTURED, "capture"), getattr(policy.disposition, "every", None))
    return _hash(policy, CAPTURED if policy.disposition.hides else (*CAPTURED, "grace"))


def _hash(policy: Policy, options: tuple[str, ...], *others: Any) -> str:
    parts: list[Any] = [policy.name, label_of(policy), *tables_of(policy.model), *others]
    parts += [key_of(policy.model), columns(policy, options)]
    parts += [canonical(getattr(policy, name)) for name in options if _is_said(policy, name)]
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def _is_said(policy: Policy, name: str) -> bool:
    """Options that came after others: of a policy without one the hash is as it was."""
    return name != "notice" or policy.notice is not None


def columns(policy: Policy, options: tuple[str, ...]) -> list[tuple[str, str]]:
    """The columns that expressions name: a renamed one makes another declaration."""
    values = [getattr(policy, name) for name in options if OPTIONS[name].names_columns]
    named = set().union(*(paths(F(v) if isinstance(v, str) else v) for v in values))
    return sorted({found for path in named for found in _passed(policy.model, path)})


def _passed(model: Any, path: str) -> Iterator[tuple[str, str]]:
    """The columns that a path over relations passes; those of other tables with their table."""
    own = True
    for part in path.split("__"):
        field = _field(model, part)
        if field is None:
            return  # a transform or a lookup
        column = str(getattr(field, "column", None))
        yield part, column if own else f"{model._meta.db_table}.{column}"
        if not field.is_relation:
            return
        own, model = False, field.related_model


def _field(model: Any, name: str) -> Any:
    fields = model._meta.get_fields()
    named = (f for f in fields if name in (f.name, getattr(f, "attname", None)))
    return next(named, None)


def field_names(value: Any) -> set[str]:
    """The first part of every field path that an expression names."""
    return {path.split("__")[0] for path in paths(value)}


def paths(value: Any) -> set[str]:
    """Every field path that an expression names, with the lookup at its end.

    Of a subquery: those that its `OuterRef`s name.
    """
    if isinstance(value, F):
        return {str(value.name)}  # type: ignore[attr-defined]
    return set().union(*map(paths, _inside(value)))


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    if isinstance(value, QuerySet | Query):
        return [value.query.where if isinstance(value, QuerySet) else value.where]
    if isinstance(value, Subquery):
        return [value.query]
    if isinstance(value, Lookup):
        return [value.lhs, value.rhs]
    if isinstance(value, Node):
        return [part for child in value.children for part in _of_child(child)]
    return value.get_source_expressions() if hasattr(value, "get_source_expressions") else []


def _of_child(child: Any) -> tuple[Any, ...]:
    return (F(child[0]), child[1]) if isinstance(child, tuple) else (child,)


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
