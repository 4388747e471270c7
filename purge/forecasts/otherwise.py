"""What another age or grace of a policy would change, in words."""

from datetime import datetime, timedelta
from typing import Any

from lifecycle.phrases import counted, lasting, locally, number, phrase


def difference(more: int, about: bool, policy: str, until: datetime) -> str:
    """How many rows more end, or fewer; `about` where that was estimated."""
    count = abs(more)
    said = {"rows": number(count), "policy": policy, "time": locally(until)}
    if about and more < 0:
        return counted(
            "About %(rows)s fewer rows of %(policy)s end until %(time)s.",
            "About %(rows)s fewer rows of %(policy)s end until %(time)s.",
            count,
            **said,
        )
    if about:
        return counted(
            "About %(rows)s more rows of %(policy)s end until %(time)s.",
            "About %(rows)s more rows of %(policy)s end until %(time)s.",
            count,
            **said,
        )
    if more < 0:
        return counted(
            "%(rows)s fewer rows of %(policy)s end until %(time)s.",
            "%(rows)s fewer rows of %(policy)s end until %(time)s.",
            count,
            **said,
        )
    return counted(
        "%(rows)s more rows of %(policy)s end until %(time)s.",
        "%(rows)s more rows of %(policy)s end until %(time)s.",
        count,
        **said,
    )


def instead(values: dict[str, Any], age: Any, grace: Any) -> str:
    """What is otherwise."""
    said = []
    if values["age"] is not None:
        said.append(_aged(in_days(values["age"]), age))
    if values["grace"] is not None:
        said.append(_graced(in_days(values["grace"]), grace))
    one, *other = said
    return phrase("%(one)s and %(other)s", one=one, other=other[0]) if other else one


def _aged(other: str, now: Any) -> str:
    if not (isinstance(now, timedelta) and now):
        return phrase("an age of %(time)s", time=other)
    return phrase("an age of %(time)s instead of %(before)s", time=other, before=in_days(now))


def _graced(other: str, now: Any) -> str:
    if not (isinstance(now, timedelta) and now):
        return phrase("a grace of %(time)s", time=other)
    return phrase("a grace of %(time)s instead of %(before)s", time=other, before=in_days(now))


def in_days(span: timedelta) -> str:
    """Whole days as such."""
    if span.seconds or span.microseconds:
        return lasting(span)
    return counted("%(count)s day", "%(count)s days", span.days)
