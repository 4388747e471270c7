"""The hours of the day in which a policy purges and updates; at others it only tombstones.

Hours are those of the site's own clock (`TIME_ZONE`). Only the hour that the clock shows counts, so
a night in which the clocks change needs no rule of its own: an hour that comes twice is open twice,
one that is left out is not waited for.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django.utils.timezone import get_default_timezone

from lifecycle.conf import conf
from lifecycle.phrases import phrase
from lifecycle.policy.policy import Policy

OUTSIDE = phrase("outside its purge hours")


def hours_of(policy: Policy) -> tuple[int, int] | None:
    """From which hour until before which; None for a policy that has no hours."""
    return _hours(policy.purge_hours or conf.PURGE_HOURS)


def with_hours(policies: Iterable[Policy]) -> list[Policy]:
    """Those that have hours; the setting is read once, for this is asked once a second."""
    shared = conf.PURGE_HOURS
    return [each for each in policies if _hours(each.purge_hours or shared)]


def _hours(found: Any) -> tuple[int, int] | None:
    return None if found is None or tuple(found) == (0, 24) else tuple(found)


def is_open(policy: Policy, now: datetime) -> bool:
    """Whether the policy may purge and update at that moment."""
    hours = hours_of(policy)
    if hours is None:
        return True
    (start, end), hour = hours, now.astimezone(get_default_timezone()).hour
    return start <= hour < end if start < end else hour >= start or hour < end


def opened_at(policy: Policy, now: datetime) -> datetime | None:
    """Since when it may; the moment itself while it may not, None without hours.

    What is due longer than that has not waited for a worker.
    """
    hours = hours_of(policy)
    if hours is None or not is_open(policy, now):
        return now if hours else None
    return max(each for each in _at(hours[0], now) if each <= now)


def opens_at(policy: Policy, now: datetime) -> datetime | None:
    """When it may again; None while it may."""
    hours = hours_of(policy)
    if hours is None or is_open(policy, now):
        return None
    return min(each for each in _at(hours[0], now) if each > now and is_open(policy, each))


def closes_at(policy: Policy, now: datetime) -> datetime | None:
    """When it may not any more; the moment itself while it may not, None without hours."""
    hours = hours_of(policy)
    if hours is None or not is_open(policy, now):
        return now if hours else None
    return min(each for each in _at(hours[1] % 24, now) if each > now and not is_open(policy, each))


def _at(hour: int, now: datetime) -> list[datetime]:
    """The moments at which the clock shows an hour, yesterday to the day after tomorrow."""
    zone = get_default_timezone()
    today = now.astimezone(zone).date()
    days = (today + timedelta(days=n) for n in (-1, 0, 1, 2))
    return [datetime.combine(day, time(hour), zone).astimezone(UTC) for day in days]
