"""Whether a row has come to its end: the condition of `live()` and `tombstoned()`.

Django takes longer to build it than to read a page of rows, so it is built once for each policy and
kept as text. Row exceptions are few: of each row they are asked only where there are any.
"""

from functools import lru_cache
from typing import Any

from django.db.models import (
    BooleanField,
    Case,
    Exists,
    Expression,
    ExpressionWrapper,
    F,
    Func,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.fields import DateTimeField
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Collate
from django.db.models.lookups import Exact, IsNull, LessThanOrEqual
from django.utils.timezone import get_current_timezone_name

from lifecycle.compiler.key_expression import KeyText
from lifecycle.compiler.keys import label_of
from lifecycle.compiler.notices import notice_of
from lifecycle.compiler.policy_sql import columns_of, due_of, keep_by, keep_of, matches_of
from lifecycle.db.rows import every_row, home
from lifecycle.db.sql import inline
from lifecycle.models import ON_TABLE, RowException
from lifecycle.policy.policy import Policy
from lifecycle.policy.registry import get_policy


def ended_by(policy: Policy) -> Expression:
    """Whether the policy has ended a row, for a query over the policy's model."""
    # What joins other tables is left to the query, which may have joined them already.
    return Ended(policy.name) if columns_of(policy) else _condition(policy)


class Clock(Func):
    """The database's clock, read once for the statement so that an index can be used."""

    template = "(SELECT lifecycle.now_v1())"
    output_field = DateTimeField()


class Inlined(Expression):
    """A condition, or what `output_field` says, whose values are written into the SQL as in the
    policy's stored definition.

    A parameter `timedelta(hours=24)` would reach the server as `'1 day'`.
    """

    output_field = BooleanField()
    conditional = True

    def __init__(self, inner: Any, output_field: Any = None) -> None:
        super().__init__(output_field)
        self.inner = inner

    def get_source_expressions(self) -> list[Any]:
        return [self.inner]

    def set_source_expressions(self, exprs: Any) -> None:
        (self.inner,) = exprs

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        statement, params = compiler.compile(self.inner)
        return inline(statement, tuple(params)).replace("%", "%%"), []


class Ended(Func):
    """A policy's condition as text, over the table by the alias that it has in the query."""

    output_field = BooleanField()
    conditional = True

    def __init__(self, policy: str) -> None:
        super().__init__(F("pk"))
        self.policy = policy  # its name: a query may be pickled

    def resolve_expression(self, query: Any = None, *args: Any, **kwargs: Any) -> Any:
        """The query, should it become a part of another one, takes no alias that the text has."""
        policy, zone = get_policy(self.policy), get_current_timezone_name()
        inside = _text(policy, query.get_initial_alias(), home(policy.model), zone)[1]
        query.subq_aliases = query.subq_aliases.union(inside)
        return super().resolve_expression(query, *args, **kwargs)

    def as_sql(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        """The text, which has no parameters."""
        (key,) = self.get_source_expressions()
        policy, zone = get_policy(self.policy), get_current_timezone_name()
        return _text(policy, key.alias, connection.alias, zone)[0], []


@lru_cache(maxsize=1000)
def _text(policy: Policy, alias: str, using: str, zone: str) -> tuple[str, frozenset[str]]:
    """The condition over a table of that alias, and the prefixes of the aliases inside of it.

    `zone` is the current time zone, by which Django compiles days and hours.
    """
    query = every_row(policy.model._meta.concrete_model, using).query  # type: ignore[arg-type]
    table = query.get_initial_alias()
    if alias != table:
        query.change_aliases({table: alias})
    resolved = _condition(policy).resolve_expression(query)
    text, params = query.get_compiler(using).compile(resolved)
    return inline(text, tuple(params)).replace("%", "%%"), query.subq_aliases


def _condition(policy: Policy) -> Expression:
    own = Q(Inlined(_past_own_end(policy)) if not policy.on_request else Value(False))
    matches = Q(Inlined(_truth(matches_of(policy))))
    kept = Q(Inlined(_truth(keep_of(policy))))
    by_hand = Q(_in(Q(policy=policy.name, kind="expired_by_hand")))
    asked, unasked = (own & _is_told(policy) | by_hand) & ~_is_spared(policy), own & _untold(policy)
    if policy.conditions:
        asked, unasked = asked & ~(kept & _counts(policy)), unasked & ~kept
        kept = Q(Value(False))
    past = Case(When(_has_exceptions(policy), then=_truth(asked)), default=_truth(unasked))
    return _truth(matches & Q(_truth(past)) & ~kept)


def _truth(condition: Any) -> ExpressionWrapper:
    return ExpressionWrapper(condition, BooleanField())


def _past_own_end(policy: Policy) -> Any:
    # Of a moment that is endless, or that Python has no date for, the comparison says the same as
    # of what is recorded for it.
    past = LessThanOrEqual(Cast(due_of(policy), DateTimeField()), Clock())
    return Func(past, Value(False), function="COALESCE", output_field=BooleanField())


def _untold(policy: Policy) -> Q:
    """Whether no mails have to go before a row ends."""
    if policy.notice is None:
        return Q(Value(True))
    return Q(Inlined(_truth(Q(IsNull(notice_of(policy), True)))))


def _is_told(policy: Policy) -> Q:
    """Whether the mails about a row's end went, and their time is over: as `evaluate` has it."""
    if policy.notice is None:
        return Q(Value(True))
    said = RowException.objects.filter(policy=policy.name, kind="noticed")
    of_row = said.filter(key=Collate(KeyText(OuterRef("pk")), "C"))
    told = _is_of_its_end(policy, of_row.filter(until__lte=Clock()))
    if policy.notice.warns_all:
        return told
    named = Cast(KeyTextTransform("until", "event__detail"), DateTimeField())
    # Also while mails are to come.
    waits = of_row.annotate(named=named).filter(named__gt=Clock())
    return told | _untold(policy) & ~_is_of_its_end(policy, waits)


def _is_of_its_end(policy: Policy, said: QuerySet[RowException]) -> Q:
    """Whether what was said of a row is about the end that it has now, or a later one."""
    of_it = LessThanOrEqual(
        Cast(due_of(policy), DateTimeField()), Subquery(said.values("since")[:1])
    )
    false = Func(of_it, Value(False), function="COALESCE", output_field=BooleanField())
    return Q(Inlined(_truth(Q(false))))


def _counts(policy: Policy) -> Q:
    """Whether what keeps a row does so: not if it was expired by hand in spite of that."""
    by_hand = _current().filter(event__detail__has_key="without")
    of_policy = Q(policy=policy.name, kind="expired_by_hand")
    some = Q(pk__in=())
    for name, condition in policy.conditions.items():
        alone = Inlined(_truth(keep_by(policy, condition)))
        named = by_hand.filter(event__detail__without__contains=name)
        some |= Q(alone) & ~Q(_in(of_policy, exceptions=named))
    return ~Q(_in(of_policy, exceptions=by_hand)) | some


def _is_spared(policy: Policy) -> Q:
    """Restored or held, the row or its whole table."""
    restored = Q(policy=policy.name, kind="restored")
    held = Q(model=label_of(policy), kind="hold")
    return Q(_in(restored | held)) | Q(Exists(_current().filter(held & ON_TABLE)))


def _current() -> QuerySet[RowException]:
    return RowException.objects.filter(Q(until=None) | Q(until__gt=Clock()))


def _has_exceptions(policy: Policy) -> Q:
    """Whether there is an exception of the policy or of its table: is asked once a statement."""
    return Q(_begins("policy", policy.name)) | Q(_begins("model", label_of(policy)))


def _begins(column: str, value: str) -> Exact:
    """Whether a column of row exceptions has the value, by one look into its index.

    The order has the planner take the index, whatever it believes of how many there are.
    """
    later = RowException.objects.filter(**{f"{column}__gte": value})
    nearest = later.order_by(column, "kind", "key").values(column)[:1]
    return Exact(Subquery(nearest), Value(value))


def _in(which: Q, exceptions: QuerySet[RowException] | None = None) -> Exists:
    """Whether a row has an exception of which a condition is true.

    Compared for equality, so that the planner reads few exceptions once and hashes them where many
    rows are asked, and else probes the index for the rows that are read.
    """
    own = Collate(KeyText(OuterRef("pk")), "C")
    return Exists((_current() if exceptions is None else exceptions).filter(which, key=own))
