"""Conditions, moments and spans of a declaration in words, as far as there are words for them.

What has none is shown as Django shows it; the policy's SQL says it exactly.
"""

from datetime import timedelta
from typing import Any

from django.db.models import Case, Exists, ExpressionWrapper, F, Func, Q, Value
from django.db.models.constants import LOOKUP_SEP
from django.db.models.expressions import CombinedExpression, NegatedExpression
from django.utils.translation import gettext_noop as _

from lifecycle.phrases import counted, cut, joined, phrase
from lifecycle.policy.groups import KeepNewest

MOST = 300  # characters of one expression

LOOKUPS = {
    "exact": _("%(column)s is %(value)s"),
    "iexact": _("%(column)s is, in any case, %(value)s"),
    "in": _("%(column)s is one of %(value)s"),
    "gt": _("%(column)s is above %(value)s"),
    "gte": _("%(column)s is at least %(value)s"),
    "lt": _("%(column)s is below %(value)s"),
    "lte": _("%(column)s is at most %(value)s"),
    "contains": _("%(column)s contains %(value)s"),
    "icontains": _("%(column)s contains, in any case, %(value)s"),
    "startswith": _("%(column)s begins with %(value)s"),
    "endswith": _("%(column)s ends with %(value)s"),
    "range": _("%(column)s is between %(value)s"),
}
SPANS = (
    (86_400, lambda count: counted("%(count)s day", "%(count)s days", count)),
    (3_600, lambda count: counted("%(count)s hour", "%(count)s hours", count)),
    (60, lambda count: counted("%(count)s minute", "%(count)s minutes", count)),
    (1, lambda count: counted("%(count)s second", "%(count)s seconds", count)),
)


def condition(asked: Any) -> str:
    """A `Q` or an expression; '' for a `Q` that is true of every row."""
    if not isinstance(asked, Q):
        return _short(_expression(asked))
    parts = [_part(child) for child in asked.children]
    said = _connected([each for each in parts if each], asked.connector)
    return phrase("not (%(condition)s)", condition=said) if asked.negated and said else said


def _connected(parts: list[Any], connector: str) -> Any:
    if len(parts) < 2:
        return parts[0] if parts else ""
    one, other = parts[0], _connected(parts[1:], connector)
    if connector == Q.OR:
        return phrase("%(one)s or %(other)s", one=one, other=other)
    if connector == Q.AND:
        return phrase("%(one)s and %(other)s", one=one, other=other)
    return joined(f" {connector.lower()} ", [one, other])


def moment(expires: Any) -> str:
    """When: a column, by its name or as an expression, or so long after it."""
    return expires if isinstance(expires, str) else _short(_expression(expires))


def span(time: timedelta) -> str:
    """Days, hours, minutes and seconds, those that are there."""
    left, said = abs(time.total_seconds()), []
    for size, words in SPANS:
        count, left = divmod(left, size)
        if count:
            said.append(words(round(count)))
    return joined(" ", said) if said else phrase("0 seconds")


def _part(child: Any) -> str:
    if isinstance(child, Q):
        said = condition(child)
        several = len(child.children) > 1 and not child.negated
        return joined("", ["(", said, ")"]) if several else said
    return _lookup(*child) if isinstance(child, tuple) else _expression(child)


def _lookup(name: str, value: Any) -> str:
    path, _, last = name.rpartition(LOOKUP_SEP)
    if last == "isnull":
        if value:
            return phrase("%(column)s is empty", column=_path(path))
        return phrase("%(column)s is not empty", column=_path(path))
    if path and last in LOOKUPS:
        return phrase(LOOKUPS[last], column=_path(path), value=_value(value))
    return phrase("%(column)s is %(value)s", column=_path(name), value=_value(value))


def _path(name: str) -> str:
    return name.replace(LOOKUP_SEP, ".")


def _value(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: phrase("true"), False: phrase("false"), None: phrase("empty")}[value]
    if isinstance(value, list | tuple | set | frozenset):
        return joined(", ", [_value(each) for each in value])
    if isinstance(value, timedelta):
        return span(value)
    if hasattr(value, "resolve_expression"):
        return _expression(value)
    return repr(str(value)) if isinstance(value, str) else str(value)


def _cases(given: Case) -> str:
    said = [
        phrase(
            "%(moment)s where %(condition)s",
            moment=_or_never(each.result),
            condition=_expression(each.condition),
        )
        for each in given.cases
    ]
    return joined("; ", [*said, phrase("%(moment)s else", moment=_or_never(given.default))])


def _or_never(given: Any) -> str:
    never = isinstance(given, Value) and given.value is None
    return phrase("never") if never else _expression(given)


def _place(rule: KeepNewest) -> str:
    group = phrase("all rows")
    if rule.per:
        group = phrase("rows with the same %(columns)s", columns=_connected([*rule.per], Q.AND))
    about = {"number": rule.n, "column": rule.by, "group": group}
    if rule.newest:
        return phrase(
            "it is one of the %(number)s newest by %(column)s of %(group)s "
            "(fewer than %(number)s are newer)",
            **about,
        )
    return phrase(
        "it is one of the %(number)s oldest by %(column)s of %(group)s "
        "(fewer than %(number)s are older)",
        **about,
    )


def _expression(given: Any) -> str:
    if isinstance(given, KeepNewest):
        return _place(given)
    if isinstance(given, F):
        return _path(str(given.name))  # type: ignore[attr-defined]
    if isinstance(given, Value):
        return _value(given.value)
    if isinstance(given, Q):
        return condition(given)
    if isinstance(given, CombinedExpression):
        return _combined(given)
    if isinstance(given, ExpressionWrapper):
        inner = _expression(given.expression)
        negated = isinstance(given, NegatedExpression)
        return phrase("not (%(condition)s)", condition=inner) if negated else inner
    if isinstance(given, Exists):
        model: Any = given.query.model
        return phrase("a row of %(model)s belongs to it", model=model._meta.label)
    if isinstance(given, Case):
        return _cases(given)
    if isinstance(given, Func) and type(given).__module__.startswith("django."):
        arguments = joined(", ", [_expression(each) for each in given.source_expressions])
        return joined("", [type(given).__name__, "(", arguments, ")"])
    return repr(given)


def _combined(given: Any) -> str:
    left, right = given.lhs, given.rhs
    time = right.value if isinstance(right, Value) else None
    if isinstance(time, timedelta) and given.connector in ("+", "-"):
        is_later = (given.connector == "+") == (time >= timedelta(0))
        about = {"time": span(time), "moment": _expression(left)}
        if is_later:
            return phrase("%(time)s after %(moment)s", **about)
        return phrase("%(time)s before %(moment)s", **about)
    return joined(" ", [_expression(left), given.connector, _expression(right)])


def _short(text: Any) -> str:
    return str(cut(text, MOST))
