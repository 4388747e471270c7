"""How models and their primary keys are written in the ledger."""

from dataclasses import dataclass
from typing import Any

from django.db import connections
from django.db.models import Field, Model

from lifecycle.db.introspection import catalogue_name
from lifecycle.db.routing import home

INTEGERS = {
    "AutoField", "BigAutoField", "SmallAutoField", "IntegerField", "BigIntegerField",
    "SmallIntegerField", "PositiveIntegerField", "PositiveBigIntegerField",
    "PositiveSmallIntegerField",
}  # fmt: skip


@dataclass(frozen=True)
class Key:
    """A primary key: its column, its type in the database, and the ledger's type for it.

    `kind` is `bigint`, `uuid` or `text`; everything that is neither an integer nor a UUID is
    written as text.
    """

    column: str
    db_type: str
    kind: str


def key_of(model: type[Model]) -> Key:
    """The key of the model's own table; of a child table, the column that points to its parent."""
    pk: Any = model._meta.concrete_model._meta.pk  # type: ignore[union-attr]
    target = key_field(model)
    kind = "bigint" if target.get_internal_type() in INTEGERS else "text"
    if target.get_internal_type() == "UUIDField":
        kind = "uuid"
    return Key(catalogue_name(str(pk.column)), db_type_of(target, home(model)), kind)


def subjects_of(key: Key, keys: str) -> str:
    """An SQL expression for an array of keys as the ledger's type of a set."""
    fields = [keys if kind == key.kind else "NULL" for kind in ("bigint", "uuid", "text")]
    return f"ROW({', '.join(fields)}, NULL)::lifecycle.subjects"


def label_of(policy: Any) -> str:
    """The ledger's name of the policy's table: `app.model` of the concrete model."""
    return label_of_model(policy.model)


def label_of_model(model: Model | type[Model]) -> str:
    """The ledger's name of the table of a model, or of a row: `app.model` of the concrete model."""
    return str(model._meta.concrete_model._meta.label_lower)  # type: ignore[union-attr]


def key_field(model: type[Model]) -> "Field[Any, Any]":
    """The field that gives the key its type; of a child table, its first ancestor's."""
    field: Any = model._meta.concrete_model._meta.pk  # type: ignore[union-attr]
    while field.remote_field is not None:
        field = field.target_field
    return field


def is_object(field: "Field[Any, Any]") -> bool:
    """Whether Python has values of a field as objects that the field itself makes."""
    return hasattr(field, "from_db_value")


def stored_key(row: Model) -> Any:
    """The key of a row as PostgreSQL takes it, whatever object Python has for it."""
    if row._meta.is_composite_pk or not is_object(field := key_field(type(row))):
        return row.pk
    return field.get_db_prep_value(row.pk, connections[home(type(row))])


def db_type_of(field: "Field[Any, Any]", using: str) -> str:
    """The type of the column in the database; of a foreign key, that of its target."""
    return str(field.rel_db_type(connections[using]) or "text")
