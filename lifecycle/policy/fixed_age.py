"""Ends that are a column, or a column plus a fixed age."""

from datetime import timedelta
from typing import Any

from django.db.models import F
from django.db.models.expressions import CombinedExpression


def age_of(expires: Any) -> tuple[str, timedelta] | None:
    """The field and the age of which an end is the sum; None where it is anything else."""
    if isinstance(expires, str | F):
        return str(getattr(expires, "name", expires)), timedelta(0)
    if isinstance(expires, CombinedExpression) and expires.connector == "+":
        field, age = expires.lhs, getattr(expires.rhs, "value", None)
        if isinstance(field, F) and isinstance(age, timedelta):
            return str(field.name), age  # type: ignore[attr-defined]
    return None
