"""Different periods by a column's value: an end for `expires`."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db.models import Case, DateTimeField, ExpressionWrapper, F, Q, When

from lifecycle.exceptions import PolicyError

NEVER = None


def period_by(
    column: str, periods: Mapping[Any, timedelta | None], *, since: str,
    otherwise: timedelta | None = NEVER,
) -> Case:  # fmt: skip
    """For `expires`: so long after `since` as `periods` says of the value that `column` has.

    column     a field of the model's own table: an outcome, a type, a tenant
    periods    by value; None: never. The value None is of rows in which the column is NULL
    since      the field that periods count from
    otherwise  of rows with another value, or with NULL where None is no value of `periods`; never
               by default

    It is Django's own `Case`: a row whose column changes ends by the new period. Raises
    `PolicyError`.
    """
    for what, name in (("column", column), ("since", since)):
        if not isinstance(name, str) or not name:
            raise PolicyError(f"period_by: {what} is the name of a field, not {name!r}.")
    if not isinstance(periods, Mapping) or not periods:
        raise PolicyError("period_by: `periods` is a dict of values and timedeltas.")
    for value, period in [*periods.items(), ("otherwise", otherwise)]:
        if period is not None and not (isinstance(period, timedelta) and period >= timedelta(0)):
            raise PolicyError(f"period_by: {value!r} ends after {period!r}, which is no timedelta.")
    cases = [When(Q(**{column: value}), then=_end(since, p)) for value, p in periods.items()]
    return Case(*cases, default=_end(since, otherwise), output_field=DateTimeField())


def _end(since: str, period: timedelta | None) -> Any:
    return None if period is None else ExpressionWrapper(F(since) + period, DateTimeField())
