"""A policy as a one-time override has it: with another age, or kept by fewer of its conditions."""

from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any

from django.db.models.functions import Least

from lifecycle.policy.fixed_age import age_of
from lifecycle.policy.policy import Policy


@cache
def varied(policy: Policy, older_than: timedelta | None, without: tuple[str, ...] | None) -> Policy:
    """The same policy, but for that. It is never registered: only its SQL is used."""
    changes: dict[str, Any] = {}
    if older_than is not None:
        changes["expires"] = _with_age(policy.expires, older_than)
    if without is not None:
        kept = {name: each for name, each in policy.conditions.items() if name not in without}
        changes["keep_while"] = kept or None
    if not changes:
        return policy
    return replace(policy, **changes)


def can_vary(expires: Any) -> bool:
    """Whether one, and only one, of the ends of which the first counts is an age."""
    return isinstance(expires, Least) and len(_aged(expires)) == 1


def _aged(expires: Least) -> list[int]:
    """Which of its ends are a column plus a timedelta."""
    ages = [age_of(part) for part in expires.get_source_expressions()]
    return [place for place, aged in enumerate(ages) if aged and aged[1]]


def _with_age(expires: Any, age: timedelta) -> Least:
    parts: list[Any] = list(expires.get_source_expressions())
    (place,) = _aged(expires)
    parts[place] = parts[place].lhs + age
    return Least(*parts)
