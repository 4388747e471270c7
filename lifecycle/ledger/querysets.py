"""`live()` and `tombstoned()`: what host code reads.

Both ask the row's own columns and the few exceptions, at the moment of the query: a row is hidden
the moment it expires, not when the worker comes to it.
"""

from typing import Any, Self, TypeVar, cast

from django.db.models import (
    BooleanField,
    Exists,
    Expression,
    ExpressionWrapper,
    Func,
    Manager,
    Model,
    OuterRef,
    Q,
    QuerySet,
    Value,
)
from django.db.models.fields import DateTimeField
from django.db.models.functions import Cast, Collate
from django.db.models.lookups import LessThanOrEqual

from lifecycle.compiler.key_expression import KeyText
from lifecycle.compiler.keys import label_of
from lifecycle.compiler.policy_sql import due_of, keep_by, keep_of, matches_of
from lifecycle.db.literals import inline
from lifecycle.models import ON_TABLE, RowException
from lifecycle.policy.policy import Policy
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


class Clock(Func):
    """The database's clock, read once for the statement so that an index can be used."""

    template = "(SELECT lifecycle.now_v1())"
    output_field = DateTimeField()


class Inlined(Expression):
    """A condition whose values are written into the SQL as in the policy's stored definition.

    A parameter `timedelta(hours=24)` would reach the server as `'1 day'`.
    """

    output_field = BooleanField()
    conditional = True

    def __init__(self, inner: Any) -> None:
        super().__init__()
        self.inner = inner

    def get_source_expressions(self) -> list[Any]:
        return [self.inner]

    def set_source_expressions(self, exprs: Any) -> None:
        (self.inner,) = exprs

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        statement, params = compiler.compile(self.inner)
        return inline(statement, tuple(params)).replace("%", "%%"), []


def _queryset(rows: Any) -> Any:
    return (rows if hasattr(rows, "all") else rows._default_manager).all()


def _ended(rows: Any) -> Q:
    model = rows.model if hasattr(rows, "all") else rows
    ended = Q(pk__in=())
    for policy in policies_of(model):
        if policy.disposition.hides:
            ended |= Q(_ended_by(policy))
    return ended


def _ended_by(policy: Policy) -> Any:
    own = Inlined(_past_own_end(policy)) if not policy.on_request else Value(False)
    past = Q(own) | Q(_in(Q(policy=policy.name, kind="expired_by_hand")))
    spared = _is_spared(policy)
    matches = Inlined(ExpressionWrapper(matches_of(policy), BooleanField()))
    return ExpressionWrapper(past & ~spared & Q(matches) & ~_kept(policy), BooleanField())


def _kept(policy: Policy) -> Q:
    """By `keep_while`; of a row expired by hand, not by the conditions that were named then."""
    kept = Q(Inlined(ExpressionWrapper(keep_of(policy), BooleanField())))
    if not policy.conditions:
        return kept
    by_hand = _current().filter(event__detail__has_key="without")
    of_policy = Q(policy=policy.name, kind="expired_by_hand")
    some = Q(pk__in=())
    for name, condition in policy.conditions.items():
        alone = Inlined(ExpressionWrapper(keep_by(condition), BooleanField()))
        named = by_hand.filter(event__detail__without__contains=name)
        some |= Q(alone) & ~Q(_in(of_policy, exceptions=named))
    return kept & (~Q(_in(of_policy, exceptions=by_hand)) | some)


def _past_own_end(policy: Policy) -> Any:
    end = Func(Cast(due_of(policy), DateTimeField()), function="lifecycle.finite_v1")
    past = LessThanOrEqual(ExpressionWrapper(end, DateTimeField()), Clock())
    return Func(past, Value(False), function="COALESCE", output_field=BooleanField())


def _is_spared(policy: Policy) -> Q:
    """Restored or held, the row or its whole table."""
    restored = Q(policy=policy.name, kind="restored")
    held = Q(model=label_of(policy), kind="hold")
    return Q(_in(restored)) | Q(_in(held)) | Q(Exists(_current().filter(held & ON_TABLE)))


def _current() -> QuerySet[RowException]:
    return RowException.objects.filter(Q(until=None) | Q(until__gt=Clock()))


def _in(which: Q, exceptions: QuerySet[RowException] | None = None) -> Exists:
    """Whether a row has an exception of which a condition is true.

    Compared for equality, so that the planner reads few exceptions once and hashes them where many
    rows are asked, and else probes the index for the rows that are read.
    """
    own = Collate(KeyText(OuterRef("pk")), "C")
    return Exists((_current() if exceptions is None else exceptions).filter(which, key=own))
