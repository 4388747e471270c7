"""`app.Model:pk`: how people name one row, in commands, in the admin and in what is printed."""

from typing import Any

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db.models import CharField, Model, TextField

from lifecycle.compiler.keys import is_object, key_field, key_of, stored_key
from lifecycle.db.connection import Placed, scalar, statement
from lifecycle.db.routing import home
from lifecycle.db.rows import every_row
from lifecycle.exceptions import LifecycleError, RowMissing


def named(row: Model) -> str:
    """The name of a row."""
    return row_name(type(row), stored_key(row))


def row_name(model: type[Model], key: Any) -> str:
    """The name of the row of a key, which need not be there."""
    return f"{_concrete(model)._meta.label}:{key}"


def parse(name: str) -> tuple[type[Model], str]:
    """The model and the key; the row need not be there.

    Raises `LifecycleError` for what names no model or cannot be a key of it.
    """
    label, separator, key = name.partition(":")
    if not (separator and key):
        raise LifecycleError(f"{name!r} does not name a row: write app.Model:pk.")
    model = model_of(label)
    return model, _key(model, key)


def ledger_key(model: type[Model], key: str, using: str) -> str:
    """The key as the ledger writes it, which is PostgreSQL's text: an `inet` has its mask."""
    if key_of(model).kind != "text" or isinstance(key_field(model), CharField | TextField):
        return key
    text = statement(__file__, "key_text", type=Placed(key_of(model).db_type))
    return str(scalar(using, text, {"key": key}))


def row_of(name: str, using: str | None = None) -> Model:
    """The row of that name, where its model is written; `RowMissing` when it is not there."""
    model, key = parse(name)
    using = using or home(model)
    row = every_row(model, using).filter(pk=key).first()
    if row is None:
        raise RowMissing(f"{row_name(model, key)} is not in the database.")
    return row


def model_of(label: str) -> type[Model]:
    """The model of an `app.Model`; `LifecycleError` where there is none."""
    try:
        return _concrete(apps.get_model(label))
    except (LookupError, ValueError) as error:
        raise LifecycleError(f"There is no model {label!r}: write app.Model:pk.") from error


def _key(model: type[Model], key: str) -> str:
    try:
        value: Any = key_field(model).to_python(key)
    except ValidationError as error:
        kind = key_of(model).kind
        raise LifecycleError(f"{key!r} is no key of {model._meta.label} ({kind}).") from error
    return key if is_object(key_field(model)) else str(value)


def _concrete(model: type[Model]) -> type[Model]:
    return model._meta.concrete_model  # type: ignore[return-value]
