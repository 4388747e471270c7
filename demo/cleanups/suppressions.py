"""Addresses that bounced: soft ones are tried again after a while, and then forgotten."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings

from .ending import Ended
from .part import Part, moment


class SoftBounces(Part):
    """Soft and active: deactivated, which needs no grace, for one more bounce takes it back."""

    policy = "soft-bounces"
    noun = "soft bounce suppressions"

    def before(self, count: int, rows: list[Any]) -> Iterator[str]:
        yield from heading("SOFT BOUNCE CLEANUP")
        yield f"Found {count} {self.noun} older than {settings.DEMO_SOFT_BOUNCE_DAYS} days"
        for row in rows:
            yield f"  - {row.address}: Last bounce {moment(row.last_bounce_at)} ({row.count}x)"

    def deleted(self, ended: Ended) -> Iterator[str]:
        yield f"Deactivated {ended.done} {self.noun}"


class StaleBounces(Part):
    """Soft and inactive for long: deleted."""

    policy = "stale-bounces"
    noun = "stale bounce records"

    def before(self, count: int, rows: list[Any]) -> Iterator[str]:
        yield ""
        yield from heading("STALE BOUNCE CLEANUP")
        days = settings.DEMO_STALE_BOUNCE_DAYS
        yield f"Found {count} {self.noun} (inactive for {days}+ days)"


def heading(text: str) -> Iterator[str]:
    """A title over a line."""
    yield text
    yield "=" * len(text)
