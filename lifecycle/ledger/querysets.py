"""`live()` and `tombstoned()`: what host code reads.

Both ask the row's own columns and the few exceptions, at the moment of the query: a row is hidden
the moment it expires, not when the worker comes to it.
"""

from functools import reduce
from operator import or_
from typing import Any, Self, TypeVar, cast

from django.db.models import Manager, Model, Q, QuerySet

from lifecycle.ledger.ended import ended_by
from lifecycle.policy.registry import policies_of

M = TypeVar("M", bound=Model)


class LifecycleQuerySetMixin:
    """Adds `live()` and `tombstoned()` to a QuerySet class of a model that has policies."""

    def live(self) -> Self:
        """Rows that have not come to their end, or are restored, held or kept."""
        return cast(Self, live(cast("QuerySet[Any]", self)))

    def tombstoned(self) -> Self:
        """Rows past their end that no exception and no `keep_while` keeps alive."""
        return cast(Self, tombstoned(cast("QuerySet[Any]", self)))


def live(rows: QuerySet[M] | Manager[M] | type[M]) -> QuerySet[M]:
    """The rows of a queryset, a manager or a model that are live. Without a policy: all of them.

    Policies on a parent's table are asked of the parent, not of its child tables.
    """
    return _queryset(rows).exclude(_ended(rows))


def tombstoned(rows: QuerySet[M] | Manager[M] | type[M]) -> QuerySet[M]:
    """The rows of a queryset, a manager or a model that are tombstoned. Without a policy: none."""
    return _queryset(rows).filter(_ended(rows))


def _queryset(rows: Any) -> Any:
    return (rows if hasattr(rows, "all") else rows._default_manager).all()


def _ended(rows: Any) -> Q:
    model = rows.model if hasattr(rows, "all") else rows
    by_policy = [Q(ended_by(each)) for each in policies_of(model) if each.disposition.hides]
    return reduce(or_, by_policy) if by_policy else Q(pk__in=())
