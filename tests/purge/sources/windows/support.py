"""What tests of windows share: moments, rows of the zoo, the windows that the agenda knows."""

from datetime import UTC, datetime, timedelta
from typing import Any

from lifecycle.models import AgendaEntry
from tests.zoo.models import Trace

MONTH = timedelta(days=30)  # the age at which traces end
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def day(number: int, hour: int = 0) -> datetime:
    """A moment of March 2026."""
    return datetime(2026, 3, number, hour, tzinfo=UTC)


def trace(ends: datetime, **values: Any) -> Trace:
    """A trace that ends at a moment."""
    return Trace.objects.create(made_at=ends - MONTH, **values)


def windows(policy: str = "traces") -> list[datetime]:
    """The windows that the agenda has entries of, in their order."""
    listed = AgendaEntry.objects.filter(policy=policy, window_at__isnull=False)
    return list(listed.order_by("window_at", "event").values_list("window_at", flat=True))


def dues(policy: str = "traces") -> list[datetime]:
    """When the windows of the agenda fall due, in the order of the windows."""
    listed = AgendaEntry.objects.filter(policy=policy, window_at__isnull=False)
    return list(listed.order_by("window_at", "event").values_list("due_at", flat=True))
