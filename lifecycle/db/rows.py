"""The rows of a model as its table has them.

A manager may leave rows out, and so may the base manager: soft-deleted ones, other tenants'. The
engine captures, looks up, locks, ends and replays rows of tables, so it never asks a manager.
"""

from typing import Any

from django.db.models import Model, QuerySet


def every_row(model: type[Model], using: str) -> "QuerySet[Any]":
    """The rows of a model, also those that its managers hide."""
    return QuerySet(model=model, using=using)
