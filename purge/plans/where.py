"""The conditions of a plan: lookups on the model's own columns, and nothing else.

`field__lookup=value` as a person writes it. A condition does not follow a relation, calls no
expression of the site and runs no pattern: what it means can be read off it.
"""

from contextlib import suppress
from typing import Any

from django.core.exceptions import EmptyResultSet, FieldError, ValidationError
from django.db.models import BooleanField, DateField, Field, Model, QuerySet

from lifecycle.db.rows import every_row
from lifecycle.exceptions import LifecycleError, did_you_mean
from lifecycle.management.targets import moment, pair
from lifecycle.phrases import phrase

LOOKUPS = (
    "exact", "iexact", "contains", "icontains", "startswith", "istartswith", "endswith",
    "iendswith", "lt", "lte", "gt", "gte", "in", "range", "isnull",
)  # fmt: skip
TRUTH = {"true": True, "false": False}
LISTS = ("in", "range")
NO_VALUE = (ValidationError, ValueError, TypeError, OverflowError)
COMPARED = ("exact", "lt", "lte", "gt", "gte")

Condition = tuple[str, str]  # a lookup as Django writes it, and the value as it was written


def conditions_of(model: type[Model], texts: list[str]) -> list[Condition]:
    """Each `field__lookup=value`, checked; `LifecycleError` for one that is none."""
    return [_condition(model, text) for text in texts]


def rows_where(model: type[Model], conditions: list[Condition], using: str) -> "QuerySet[Any]":
    """The rows that match every condition; all rows where there is none."""
    rows = every_row(model, using)
    for name, text in conditions:
        value = _value(*_parts(model, name), text)
        try:
            rows = rows.filter(**{name: value})
            with suppress(EmptyResultSet):
                rows.query.get_compiler(using).as_sql()  # some fields read a value only here
        except (FieldError, *NO_VALUE):
            raise _no_value(name) from None  # what they say has the value
    return rows


def _condition(model: type[Model], text: str) -> Condition:
    name, value = pair(text, "field__lookup=value")
    field, lookup = _parts(model, name)
    _value(field, lookup, value)
    return (name if "__" in name else f"{name}__exact"), value


def _parts(model: type[Model], name: str) -> tuple[Any, str]:
    """The field and the lookup that a name means."""
    first, _, lookup = name.partition("__")
    lookup = lookup or "exact"
    known: dict[str, Any] = {}
    for field in model._meta.concrete_fields:
        known |= {field.name: field, field.attname: field}
    if first not in known:
        hint = did_you_mean(first, known, f" Columns: {', '.join(sorted(known))}.")
        raise LifecycleError(
            phrase(
                "%(model)s has no column %(first)s.%(hint)s",
                model=model._meta.label,
                first=repr(first),
                hint=hint,
            )
        )
    if lookup not in LOOKUPS or lookup not in _target(known[first]).get_lookups():
        may = ", ".join(LOOKUPS)
        raise LifecycleError(
            phrase(
                "%(name)s is no lookup on a column of its own: %(may)s.", name=repr(name), may=may
            )
        )
    return known[first], lookup


def _target(field: Any) -> Any:
    """The field whose lookups count: of a foreign key, the key that it has."""
    while field.remote_field is not None:
        field = field.target_field
    return field


def _value(field: "Field[Any, Any]", lookup: str, text: str) -> Any:
    if lookup == "isnull":
        if text.lower() not in TRUTH:
            raise LifecycleError(phrase("%(field)s__isnull is true or false.", field=field.name))
        return TRUTH[text.lower()]
    if lookup not in LISTS:
        return _one(field, lookup, text)
    values = [_one(field, "exact", each) for each in text.split(",")]
    if lookup == "range" and len(values) != 2:
        raise LifecycleError(
            phrase("%(field)s__range takes two values, with a comma between.", field=field.name)
        )
    return values


def _one(field: "Field[Any, Any]", lookup: str, text: str) -> Any:
    """A value that the field reads; a time is in the site's zone where it names none."""
    if lookup not in COMPARED:
        return text
    try:
        if isinstance(field, DateField) and field.get_internal_type() == "DateTimeField":
            return _moment(field, text)
        if isinstance(field, BooleanField):
            text = text.capitalize()  # as Django reads it
        value = _target(field).to_python(text)
    except NO_VALUE:
        raise _no_value(field.name) from None
    if value is None:  # an empty text: `isnull` says so
        raise _no_value(field.name)
    return value


def _moment(field: "Field[Any, Any]", text: str) -> Any:
    try:
        return moment(text)
    except LifecycleError:  # which shows the text
        raise _no_value(field.name, ": write 2030-12-31 or 2030-12-31T18:00+01:00") from None


def _no_value(name: str, hint: str = "") -> LifecycleError:
    """Without the value: it may be of a person."""
    return LifecycleError(phrase("That is no value for %(name)s%(hint)s.", name=name, hint=hint))
