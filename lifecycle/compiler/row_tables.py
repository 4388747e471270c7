"""The tables whose rows together are one row of a model: its own, then its parents'."""

from typing import Any

from django.db.models import Model
from psycopg import sql

from lifecycle.db.tables import table_of
from lifecycle.policy.policy import Policy


def tables_of(model: type[Model]) -> tuple[str, ...]:
    """The tables whose rows together are one row of the model: its own, then its parents'."""
    own = model._meta.concrete_model._meta  # type: ignore[union-attr]
    return (table_of(model), *map(table_of, own.get_parent_list()))


def models_of(policy: Policy) -> list[type[Model]]:
    """The model of a policy's table, and its parents."""
    own: Any = policy.model._meta.concrete_model
    return [own, *own._meta.get_parent_list()]


def locked_tables(policy: Policy) -> str:
    """The FROM that a worker locks: a row of a child table is locked with its parents' rows."""
    meta = policy.model._meta.concrete_model._meta  # type: ignore[union-attr]
    text = sql.Identifier(meta.db_table).as_string()
    seen = {meta.concrete_model}
    for model in (meta.concrete_model, *meta.get_parent_list()):
        for parent, link in model._meta.parents.items():
            if link is not None and parent not in seen:
                seen.add(parent)
                text += _joined(model._meta.db_table, link.column, parent._meta)
    return text


def _joined(table: str, column: str, parent: Any) -> str:
    own = sql.Identifier(table, column).as_string()
    key = sql.Identifier(parent.db_table, parent.pk.column).as_string()
    return f" JOIN {sql.Identifier(parent.db_table).as_string()} ON {key} = {own}"
