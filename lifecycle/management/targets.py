"""Rows, moments and spans of time as a person writes them."""

import re
from argparse import ArgumentTypeError
from datetime import datetime, time, timedelta
from typing import Any

from django.core.exceptions import FieldError, ValidationError
from django.db.models import DateTimeField, Model, QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime, parse_duration

from lifecycle.db.rows import every_row
from lifecycle.exceptions import LifecycleError, did_you_mean
from lifecycle.ledger.row_names import model_of
from lifecycle.phrases import phrase

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
LITERALS = {"true": True, "false": False}
COMPARED = ("", "exact", "lt", "lte", "gt", "gte")


def moment(text: str | None) -> datetime | None:
    """An ISO date or time, in the site's zone where it names none."""
    if text is None:
        return None
    try:
        parsed = parse_datetime(text) or _midnight(text)
    except ValueError:
        parsed = None
    if parsed is None:
        raise LifecycleError(f"{text!r} is no date: write 2030-12-31 or 2030-12-31T18:00+01:00.")
    return parsed if timezone.is_aware(parsed) else timezone.make_aware(parsed)


def future(text: str | None) -> datetime | None:
    """As `moment`, refused where it has passed."""
    parsed = moment(text)
    if parsed is not None and parsed <= timezone.now():
        raise LifecycleError(f"{text} has passed.")
    return parsed


def duration(text: str) -> timedelta:
    """`0`, a number with a unit, or what Django reads as a duration."""
    if match := re.fullmatch(r"(\d+)([smhdw])", text):
        return timedelta(**{UNITS[match[2]]: int(match[1])})
    span = parse_duration(text) if text != "0" else timedelta(0)
    if span is None or span < timedelta(0):
        raise ArgumentTypeError(f"{text!r} is no duration: 0, 90s, 30m, 12h, 7d.")
    return span


def pair(text: str, form: str = "column=value") -> tuple[str, str]:
    """The name and the value of a condition; the value may have further signs of equality.

    `LifecycleError` for another text, which names the form and repeats nothing: it may be a value.
    """
    name, separator, value = text.partition("=")
    if not (name and separator):
        raise LifecycleError(phrase("A condition is written as %(form)s.", form=form))
    return name, value


def pairs(texts: list[str]) -> dict[str, str]:
    """The values by their columns; `LifecycleError` where one has two, too."""
    found: dict[str, str] = {}
    for name, value in map(pair, texts):
        if name in found:
            raise LifecycleError(f"{name} cannot have two values.")
        found[name] = value
    return found


def rows_of(label: str, filters: list[str], every: bool, using: str) -> "QuerySet[Any]":
    """The rows of `app.Model` that match every `field=value`.

    `LifecycleError` where no row matches, and where every row does without `every`.
    """
    model = model_of(label)
    if bool(filters) == every:
        raise LifecycleError("Say which rows by --filter field=value, or --all for every row.")
    rows = _filtered(model, filters, using)
    matching, total = rows.count(), every_row(model, using).count()
    if not matching:
        raise LifecycleError(f"No row of {model._meta.label} matches.")
    if matching == total and not every:
        raise LifecycleError(
            f"That matches all {total} rows of {model._meta.label}: say --all if you mean it."
        )
    return rows


def _filtered(model: type[Model], filters: list[str], using: str) -> "QuerySet[Any]":
    rows = every_row(model, using)
    for condition in filters:
        name, value = pair(condition, "field=value")
        try:
            rows = rows.filter(**{name: _value(model, name, value)})
        except FieldError as error:
            raise LifecycleError(_no_field(model, name)) from error
        except (ValidationError, ValueError, TypeError) as error:
            raise LifecycleError(f"{value!r} is no value for {name}.") from error
    return rows


def _value(model: type[Model], name: str, value: str) -> Any:
    """The value as the ORM takes it: a boolean, a time in the site's zone, else the text."""
    field, _, lookup = name.partition("__")
    if lookup.endswith("isnull"):
        return LITERALS.get(value.lower(), value)
    times = {each.name for each in model._meta.fields if isinstance(each, DateTimeField)}
    return moment(value) if field in times and lookup in COMPARED else value


def _no_field(model: type[Model], name: str) -> str:
    known = [field.name for field in model._meta.get_fields()]
    hint = did_you_mean(name.split("__")[0], known, f" Fields: {', '.join(known)}.")
    return f"{model._meta.label} has no {name!r}.{hint}"


def _midnight(text: str) -> datetime | None:
    day = parse_date(text)
    return datetime.combine(day, time()) if day else None
