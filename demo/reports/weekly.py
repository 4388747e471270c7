"""The health report, once a week: Sundays at 03:00 UTC, by whichever worker comes first.

Every consumer asks every minute, and when it starts. Whoever claims the week in the database sends;
after a downtime the latest week is sent once, not those in between. A mail that fails is tried
again, later and later. A worker that is killed while it sends may make it twice.
"""

import logging
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, transaction
from django.db.models import QuerySet

from demo.models import WeeklyReport
from lifecycle.db.connection import scalar

from .health import health
from .texts import mail

NAME = "health"
SUNDAY, HOUR = 6, 3
WEEK = timedelta(days=7)
CLAIMED = timedelta(minutes=10)  # longer than any mail takes; then its sender was killed
SHORTEST, LONGEST = timedelta(minutes=1), timedelta(hours=1)

log = logging.getLogger(__name__)


def week_before(now: datetime) -> datetime:
    """The latest Sunday, 03:00 UTC, that has come."""
    now = now.astimezone(UTC)
    day = now.replace(hour=HOUR, minute=0, second=0, microsecond=0)
    day -= timedelta(days=(day.weekday() - SUNDAY) % 7)
    return day if day <= now else day - WEEK


def send_due() -> bool:
    """Send the report of the week that has ended, if nobody has; whether it was sent."""
    if not settings.DEMO_REPORT_TO:
        return False
    now = scalar(DEFAULT_DB_ALIAS, "SELECT lifecycle.now_v1()")
    claimed = _claim(now)
    if claimed is None:
        return False
    try:
        mail(health(), *settings.DEMO_REPORT_TO)
    except Exception:
        # Neither the mail server nor its answer may stop the worker.
        log.exception("the weekly report was not sent")
        wait = min(SHORTEST * 2 ** min(claimed.tries - 1, 10), LONGEST)
        _mine(claimed).update(again_at=now + wait)
        return False
    _mine(claimed).update(period=week_before(now), sent_at=now, tries=0, again_at=None)
    return True


def _claim(now: datetime) -> WeeklyReport | None:
    """The row, claimed, when its week is over and nobody else sends; the first week is skipped."""
    with transaction.atomic():
        # A site that has just begun has no week behind it.
        WeeklyReport.objects.get_or_create(name=NAME, defaults={"period": week_before(now)})
        row = WeeklyReport.objects.select_for_update(skip_locked=True).filter(name=NAME).first()
        if row is None or row.period >= week_before(now) or (row.again_at or now) > now:
            return None
        row.tries, row.again_at = row.tries + 1, now + CLAIMED
        row.save()
        return row


def _mine(claimed: WeeklyReport) -> "QuerySet[WeeklyReport]":
    """The row while nobody has claimed it after us."""
    return WeeklyReport.objects.filter(name=NAME, tries=claimed.tries)
