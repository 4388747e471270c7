"""What has ended and was brought back, day by day: summed up by the worker with its segments.

The ledger itself would take seconds to add up. What the worker has not covered yet is read, as far
as that is quick.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from lifecycle.db.connection import fetch, statement

DAYS = 90
MOST = 20_000  # events, or numbers of such, that are read beside the sums
KINDS = ("purged", "updated", "archived", "restored")


@dataclass
class Days:
    """Rows by kind, of each of the last days of UTC, the oldest first.

    incomplete  a part of the ledger is neither summed up nor read: no worker has covered it
    """

    days: list[date]
    rows: dict[str, list[int]] = field(default_factory=dict)
    incomplete: bool = False


def last_days(now: datetime, using: str, days: int = DAYS) -> Days:
    """Up to the day of UTC of that moment. Changes nothing."""
    today = now.date()
    shown = [today - timedelta(days=ago) for ago in range(days - 1, -1, -1)]
    found = Days(shown, {kind: [0] * days for kind in KINDS})
    for day, kind, rows, incomplete in fetch(
        using, statement(__file__, "days"), {"days": days, "most": MOST}
    ):
        found.incomplete = incomplete
        place = days - 1 - (today - day).days
        if kind in found.rows and 0 <= place < days:
            found.rows[kind][place] = rows
    return found
