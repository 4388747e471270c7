"""Keys between Python and the database, where Python has objects for them or several columns."""

from typing import Any

from django.db import connections
from django.db.models.expressions import RawSQL

from lifecycle.compiler.keys import is_object, key_field, key_of, key_text
from lifecycle.db.sql import array_text


def among(model: Any, keys: Any) -> Any:
    """The right side of `pk__in`: ten thousand keys as one parameter."""
    if model._meta.is_composite_pk:
        return list(keys)
    text = f"SELECT unnest(%s::{key_of(model).cast}[])"
    return RawSQL(text, [array_text(as_texts(model, keys))])  # noqa: S611


def selected(rows: Any) -> Any:
    """The keys of rows, as tuples; locking by `of=("self",)` takes no key of several columns."""
    meta = rows.model._meta
    names = [field.attname for field in meta.pk_fields] if meta.is_composite_pk else ["pk"]
    return rows.values_list(*names)


def as_python(model: Any, keys: list[Any], using: str) -> list[Any]:
    """Keys that were read without Django, as its instances have them."""
    field: Any = key_field(model)
    if not is_object(field):
        return keys
    return [field.from_db_value(key, field.cached_col, connections[using]) for key in keys]


def as_texts(model: Any, keys: Any) -> list[str]:
    """Keys of instances, as text that PostgreSQL reads."""
    return [key_text(model, key) for key in keys]


def array_of(model: Any, keys: Any) -> Any:
    """Keys of instances as `key_array` takes them."""
    return list(keys) if model._meta.is_composite_pk else array_text(as_texts(model, keys))
