"""A stored forecast beside what the ledger says happened since."""

from dataclasses import dataclass, field
from typing import Any

from django.utils.timezone import get_default_timezone_name

from lifecycle.db.connection import fetch, statement
from lifecycle.exceptions import LifecycleError
from purge.models import Forecast


@dataclass
class Compared:
    """One policy: rows by day, 0 is the day of the forecast; as it said and as it came.

    Only days that are over. Of an estimate, or what could not be read, `forecast` is empty.
    """

    policy: str
    forecast: dict[int, int] = field(default_factory=dict)
    happened: dict[int, int] = field(default_factory=dict)

    @property
    def difference(self) -> int:
        """How many more rows ended than was said; below zero: fewer."""
        return sum(self.happened.values()) - sum(self.forecast.values())


def compare(number: int | None, using: str) -> tuple[Forecast, int, list[Compared]]:
    """A forecast, or the latest one; how many of its days are over; each policy of it.

    Raises `LifecycleError` where there is none.
    """
    stored = Forecast.objects.using(using).order_by("-id")
    found = (stored if number is None else stored.filter(pk=number)).first()
    if found is None:
        raise LifecycleError("There is no such forecast: `manage.py lifecycle simulate` makes one.")
    over, happened = _happened(found, using)
    compared = []
    for name, told in found.policies.items():
        days = {int(day): count for day, count in told["days"].items() if int(day) < over}
        compared.append(Compared(name, days, happened.get(name, {})))
    return found, over, compared


def _happened(found: Forecast, using: str) -> tuple[int, dict[str, dict[int, int]]]:
    params: dict[str, Any] = {"since": found.event, "made_at": found.made_at}
    params |= {"until": found.until, "zone": get_default_timezone_name()}
    rows = fetch(using, statement(__file__, "happened"), params)
    happened: dict[str, dict[int, int]] = {}
    over = 0
    for days_over, policy, day, count in rows:
        over = days_over
        if policy is not None:
            happened.setdefault(policy, {})[day] = count
    return over, happened
