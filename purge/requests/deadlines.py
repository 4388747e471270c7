"""How long there is for a request: the law's month, by the site's calendar."""

from calendar import monthrange
from datetime import UTC, datetime, timedelta

from django.utils import timezone

MONTH, LONGER = timedelta(days=30), timedelta(days=60)
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)  # Python reads no year before the first


def deadline(received: datetime, longer: bool = False) -> datetime:
    """When a request is due: 30 days after it came, 60 more where it was extended; sooner where the
    month, or the three, of Article 12(3) of the GDPR are over sooner, by the site's calendar."""
    local = timezone.localtime(received)
    years, month = divmod(local.month - 1 + (3 if longer else 1), 12)
    year = local.year + years
    day = min(local.day, monthrange(year, month + 1)[1])
    return min(
        local + MONTH + (LONGER if longer else timedelta(0)),
        local.replace(year=year, month=month + 1, day=day),
    )
