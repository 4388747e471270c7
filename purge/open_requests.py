"""Which requests for erasure are open, and overdue: for page one, `status` and the alerts."""

from datetime import UTC, datetime
from typing import NamedTuple

from lifecycle.db.connection import fetch, statement
from lifecycle.phrases import on


class OpenRequests(NamedTuple):
    """Of one policy on one model: how many are open, when the first is due, how many are overdue.

    `now`: the database's clock, by which that was told.
    """

    policy: str
    model: str
    open: int
    first_due: datetime
    overdue: int
    now: datetime

    @property
    def since(self) -> str:
        """The day, of UTC, since which the oldest is overdue, where one is."""
        return on(self.first_due.astimezone(UTC).date())


def open_requests(using: str) -> list[OpenRequests]:
    """By policy and model."""
    return [OpenRequests(*row) for row in fetch(using, statement(__file__, "open"))]
