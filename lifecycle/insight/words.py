"""Conditions, moments and spans of a declaration in words, as far as there are words for them.

What has none is shown as Django shows it; the policy's SQL says it exactly.
"""

from datetime import timedelta
from typing import Any

from django.db.models import Case, Exists, ExpressionWrapper, F, Func, Q, Value
from django.db.models.constants import LOOKUP_SEP
from django.db.models.expressions import CombinedExpression, NegatedExpression

from lifecycle.policy.groups import KeepNewest

MOST = 300  # characters of one expression

LOOKUPS = {
    "exact": "is", "iexact": "is, in any case,", "in": "is one of", "gt": "is above",
    "gte": "is at least", "lt": "is below", "lte": "is at most", "contains": "contains",
    "icontains": "contains, in any case,", "startswith": "begins with", "endswith": "ends with",
    "range": "is between",
}  # fmt: skip
SPANS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


def condition(asked: Any) -> str:
    """A `Q` or an expression; '' for a `Q` that is true of every row."""
    if not isinstance(asked, Q):
        return _short(_expression(asked))
    parts = [_part(child) for child in asked.children]
    said = f" {asked.connector.lower()} ".join(each for each in parts if each)
    return f"not ({said})" if asked.negated and said else said


def moment(expires: Any) -> str:
    """When: a column, by its name or as an expression, or so long after it."""
    return expires if isinstance(expires, str) else _short(_expression(expires))


def span(time: timedelta) -> str:
    """Days, hours, minutes and seconds, those that are there."""
    left, said = abs(time.total_seconds()), []
    for name, size in SPANS:
        count, left = divmod(left, size)
        if count:
            said.append(f"{count:.0f} {name}" + ("" if count == 1 else "s"))
    return " ".join(said) or "0 seconds"


def _part(child: Any) -> str:
    if isinstance(child, Q):
        said = condition(child)
        return f"({said})" if len(child.children) > 1 and not child.negated else said
    return _lookup(*child) if isinstance(child, tuple) else _expression(child)


def _lookup(name: str, value: Any) -> str:
    path, _, last = name.rpartition(LOOKUP_SEP)
    if last == "isnull":
        return f"{_path(path)} is {'' if value else 'not '}empty"
    if path and last in LOOKUPS:
        return f"{_path(path)} {LOOKUPS[last]} {_value(value)}"
    return f"{_path(name)} is {_value(value)}"


def _path(name: str) -> str:
    return name.replace(LOOKUP_SEP, ".")


def _value(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "empty"}[value]
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(_value(each) for each in value)
    if isinstance(value, timedelta):
        return span(value)
    if hasattr(value, "resolve_expression"):
        return _expression(value)
    return repr(str(value)) if isinstance(value, str) else str(value)


def _cases(given: Case) -> str:
    said = [f"{_or_never(each.result)} where {_expression(each.condition)}" for each in given.cases]
    return "; ".join([*said, f"{_or_never(given.default)} else"])


def _or_never(given: Any) -> str:
    return "never" if isinstance(given, Value) and given.value is None else _expression(given)


def _place(rule: KeepNewest) -> str:
    which, of = ("newest", "newer") if rule.newest else ("oldest", "older")
    group = f"rows with the same {' and '.join(rule.per)}" if rule.per else "all rows"
    return (
        f"it is one of the {rule.n} {which} by {rule.by} of {group} (fewer than {rule.n} are {of})"
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
        return f"not ({inner})" if isinstance(given, NegatedExpression) else inner
    if isinstance(given, Exists):
        model: Any = given.query.model
        return f"a row of {model._meta.label} belongs to it"
    if isinstance(given, Case):
        return _cases(given)
    if isinstance(given, Func) and type(given).__module__.startswith("django."):
        arguments = ", ".join(_expression(each) for each in given.source_expressions)
        return f"{type(given).__name__}({arguments})"
    return repr(given)


def _combined(given: Any) -> str:
    left, right = given.lhs, given.rhs
    time = right.value if isinstance(right, Value) else None
    if isinstance(time, timedelta) and given.connector in ("+", "-"):
        is_later = (given.connector == "+") == (time >= timedelta(0))
        return f"{span(time)} {'after' if is_later else 'before'} {_expression(left)}"
    return f"{_expression(left)} {given.connector} {_expression(right)}"


def _short(text: str) -> str:
    return text if len(text) <= MOST else f"{text[:MOST]}..."
