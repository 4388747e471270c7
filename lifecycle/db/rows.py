"""Where the rows of a model are: their database, and all of them as their table has them.

A manager may leave rows out, and so may the base manager: soft-deleted ones, other tenants'. The
engine captures, looks up, locks, ends and replays rows of tables, so it never asks a manager.
"""

from typing import Any

from django.db import router
from django.db.models import Model, QuerySet


def home(model: type[Model]) -> str:
    """The database that rows of a model are written to; of a proxy, its table's."""
    return str(router.db_for_write(model._meta.concrete_model))  # type: ignore[arg-type]


def home_of(row: Model) -> str:
    """The database that this row is written to, wherever it was read."""
    return str(router.db_for_write(type(row), instance=row))


def every_row(model: type[Model], using: str) -> "QuerySet[Any]":
    """The rows of a model, also those that its managers hide."""
    return QuerySet(model=model, using=using)
