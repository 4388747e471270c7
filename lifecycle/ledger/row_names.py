"""`app.Model:pk`: how people name one row, in commands, in the admin and in what is printed."""

from typing import Any

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import DataError, transaction
from django.db.models import BinaryField, JSONField, Model, QuerySet
from django.db.models.expressions import RawSQL

from lifecycle.compiler.keys import key_field, key_of, key_text
from lifecycle.db.connection import Placed, scalar, statement
from lifecycle.db.rows import every_row, home
from lifecycle.exceptions import LifecycleError, RowMissing
from lifecycle.phrases import phrase


def named(row: Model) -> str:
    """The name of a row."""
    return row_name(type(row), key_text(type(row), row.pk))


def row_name(model: type[Model], key: Any) -> str:
    """The name of the row of a key, which need not be there."""
    return f"{_concrete(model)._meta.label}:{key}"


def parse(name: str) -> tuple[type[Model], str]:
    """The model and the key; the row need not be there.

    Raises `LifecycleError` for what names no model or cannot be a key of it.
    """
    label, separator, key = name.partition(":")
    if not separator:
        raise LifecycleError(
            phrase("%(name)s does not name a row: write app.Model:pk.", name=repr(name))
        )
    model = model_of(label)
    return model, _key(model, key)


def ledger_key(model: type[Model], key: str, using: str) -> str:
    """The key as the ledger writes it, which is PostgreSQL's text: an `inet` has its mask.

    Raises `LifecycleError` where PostgreSQL does not read it as a key.
    """
    own = key_of(model)
    if own.kind != "text":
        return key
    text = statement(__file__, "key_text", key=Placed(own.stored(own.typed("%(key)s"))))
    try:
        with transaction.atomic(using=using):
            return str(scalar(using, text, {"key": key}))
    except DataError as error:
        raise _no_key(model, key) from error


def row_of(name: str, using: str | None = None) -> Model:
    """The row of that name, where its model is written; `RowMissing` when it is not there."""
    model, key = parse(name)
    using = using or home(model)
    row = rows_of_key(model, key, using).first()
    if row is None:
        raise RowMissing(phrase("%(row)s is not in the database.", row=row_name(model, key)))
    return row


def rows_of_key(model: type[Model], key: str, using: str) -> "QuerySet[Any]":
    """The row of a key, as text that PostgreSQL reads; none where it is not there."""
    text = f"SELECT {key_of(model).typed('%s')}"
    return every_row(model, using).filter(pk__in=RawSQL(text, [ledger_key(model, key, using)]))  # noqa: S611


def model_of(label: str) -> type[Model]:
    """The model of an `app.Model`; `LifecycleError` where there is none."""
    try:
        return _concrete(apps.get_model(label))
    except (LookupError, ValueError) as error:
        raise LifecycleError(
            phrase("There is no model %(model)s: write app.Model:pk.", model=repr(label))
        ) from error


def _key(model: type[Model], key: str) -> str:
    """The key as text that PostgreSQL reads.

    People may write what the field reads or, where that is something else, what the ledger shows.
    """
    field, kind = key_field(model), key_of(model).kind
    if kind == "text" and (isinstance(field, BinaryField | JSONField) or not key):
        return key
    try:
        value: Any = field.to_python(key)
    except (ValidationError, ValueError) as error:
        if kind == "text":
            return key  # PostgreSQL says whether it is one
        raise _no_key(model, key) from error
    return key_text(model, value)


def _no_key(model: type[Model], key: str) -> LifecycleError:
    kind = key_of(model).kind
    return LifecycleError(
        phrase(
            "%(key)s is no key of %(model)s (%(kind)s).",
            key=repr(key),
            model=model._meta.label,
            kind=kind,
        )
    )


def _concrete(model: type[Model]) -> type[Model]:
    return model._meta.concrete_model  # type: ignore[return-value]
