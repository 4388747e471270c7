"""Moments that are truncated in a time zone.

`Trunc` gives the zone's wall clock, a timestamp without a zone, to which Django adds the zone in
Python. A policy's SQL never comes there: taken for UTC, the moment would be hours off.
"""

from typing import Any

from django.db.models import DateTimeField, Func
from django.db.models.functions import TruncDate, TruncTime
from django.db.models.functions.datetime import TruncBase


class Zoned(Func):
    """A truncated wall clock as the moment that it is in its zone."""

    arity = 1

    def as_sql(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, tuple[Any, ...]]:  # type: ignore[override]
        (inner,) = self.get_source_expressions()
        text, params = compiler.compile(inner)
        fields = (inner.output_field, inner.lhs.output_field)
        if not all(isinstance(field, DateTimeField) for field in fields):
            return text, tuple(params)
        zone = connection.ops._prepare_tzname_delta(inner.get_tzname())
        return f"({text} AT TIME ZONE %s)", (*params, zone)


def zoned(expression: Any) -> Any:
    """The expression with every truncated moment in it put back into its zone."""
    inner: list[Any] = getattr(expression, "get_source_expressions", list)()
    if inner:
        expression = expression.copy()
        expression.set_source_expressions([zoned(each) for each in inner])
    if isinstance(expression, TruncDate | TruncTime) or not isinstance(expression, TruncBase):
        return expression
    return Zoned(expression)
