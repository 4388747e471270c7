"""For promise 4: the names of files in the tables of a database, and the storage of each field."""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.db import router
from django.db.models import FileField
from psycopg import sql

from lifecycle.db.sql import literal
from lifecycle.db.tables import table_of, tables_in
from lifecycle.policy.media_fields import file_fields

NO_FILES = (
    "SELECT ''::text AS model, '' AS field, '' AS storage, '' AS key, '' AS name, 0 AS age LIMIT 0"
)
NO_FIELDS = "('', '', '')"


Fields = list[tuple[Any, FileField]]  # models with their file fields


def names_of(fields: Fields) -> str:
    """SQL: a row for each name in these fields, with the age of its row."""
    return " UNION ALL ".join(_names(*each) for each in fields) or NO_FILES


def labels_of(fields: Fields) -> str:
    """SQL: the file fields with their storages."""
    return ", ".join(f"({_labels(*each)})" for each in fields) or NO_FIELDS


def fields_in(using: str) -> Fields:
    """The file fields that have a column in this database."""
    return list(_fields(using))


def _fields(using: str) -> Iterator[tuple[Any, FileField]]:
    tables = tables_in(using)
    for model in apps.get_models(include_auto_created=True):
        here = table_of(model) in tables and router.allow_migrate_model(using, model)
        if here and not model._meta.proxy:
            yield from ((model, field) for field in file_fields(model))


def _names(model: Any, field: FileField) -> str:
    names = {
        "table": sql.Identifier(model._meta.db_table),
        "name": sql.Identifier(str(field.column)),
        "key": sql.SQL("one.{}::text").format(sql.Identifier(str(model._meta.pk.column))),
        "labels": sql.SQL(_labels(model, field, named=True)),
    }
    if getattr(model._meta, "pk_fields", [0])[1:]:
        names["key"] = sql.SQL("'*'")  # of several columns
    text = (
        "SELECT {labels}, {key} AS key, one.{name}::text AS name, age(one.xmin) AS age FROM {table}"
    )
    return sql.SQL(text + " AS one WHERE one.{name}::text <> ''").format(**names).as_string()


def _labels(model: Any, field: FileField, named: bool = False) -> str:
    """Names of model, field and storage as SQL; storages of one place have one name."""
    storage: Any = field.storage
    kind = storage.__class__  # of a lazy one, that of what is behind it
    place = [str(getattr(storage, name, "")) for name in ("bucket_name", "location")]
    values = (model._meta.label_lower, field.name, f"{kind.__qualname__} {' '.join(place)}")
    wanted = zip(map(literal, values), ("model", "field", "storage"), strict=True)
    return ", ".join(
        f"{value}::text AS {name}" if named else f"{value}::text" for value, name in wanted
    )
