"""Which columns a policy's due time goes by: a row of which none has changed is due when it was."""

from collections.abc import Iterator
from typing import Any

from django.db.models import Expression, F, Func, Model, Q, QuerySet, Value
from django.db.models.expressions import RawSQL
from django.db.models.lookups import Lookup
from django.db.models.sql import Query
from django.utils.tree import Node
from psycopg import sql

from lifecycle.compiler.keys import key_of
from lifecycle.compiler.policy_sql import compiled
from lifecycle.compiler.row_tables import models_of
from lifecycle.db.tables import table_of
from lifecycle.policy.policy import Policy


def image_of(policy: Policy, model: type[Model], row: str) -> str:
    """SQL: the columns of a row by which the policy's due time and `when` may change, and its key.

    All of them where SQL of the site's own may read columns that no model knows of. In a migration
    `model` may be one without its columns: those are the policy's model's, or its parents'.
    """
    name = sql.Identifier(row).as_string()
    known = [each for each in models_of(policy) if table_of(each) == table_of(model)]
    if not known or any(map(_is_opaque, [*_parts(policy.when), *_parts(policy.expires)])):
        return f"{name}.*"
    wanted = dict.fromkeys([key_of(known[0]).column, *_named(policy, known[0])])
    return ", ".join(f"{name}.{sql.Identifier(column).as_string()}" for column in wanted)


def _named(policy: Policy, model: type[Model]) -> list[str]:
    """The model's columns that stand anywhere in the policy's SQL; one too many does no harm."""
    text = compiled(policy).due_sql
    fields: Any = model._meta.local_concrete_fields
    return [str(field.column) for field in fields if str(field.column) in text]


def _is_opaque(part: Any) -> bool:
    """Whether an expression may read what its parts do not say."""
    if not isinstance(part, Expression | Lookup | Query):
        return False
    own_template = isinstance(part, Func) and "template" in part.extra
    return isinstance(part, RawSQL | Query) or own_template or not _is_djangos(part)


def _is_djangos(part: Any) -> bool:
    return type(part).__module__.startswith(("django.db.models.", "django.contrib.postgres."))


def _parts(value: Any) -> Iterator[Any]:
    """A declared value and everything in it."""
    yield value
    for inner in _inside(value):
        yield from _parts(inner)


def _inside(value: Any) -> list[Any]:
    if isinstance(value, str | F | Value):
        return []
    if isinstance(value, Q | Node):
        return list(value.children)
    if isinstance(value, dict):
        return list(value.values())
    if isinstance(value, list | tuple | set | frozenset):
        return list(value)
    if isinstance(value, QuerySet):
        return [value.query]
    if isinstance(value, Lookup):
        return [value.lhs, value.rhs]
    return [each for each in getattr(value, "get_source_expressions", list)() if each is not None]
