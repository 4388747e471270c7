"""Huey's tasks of this site; the retention engine has its own."""

from huey import crontab
from huey.contrib.djhuey import HUEY, db_periodic_task

from .reports import weekly


@db_periodic_task(crontab(minute="*"))
def weekly_report() -> None:
    """Send the report if a week is over: Sunday at 03:00, or later if nobody was there then."""
    weekly.send_due()


@HUEY.on_startup()
def ask_at_once() -> None:
    """What was due while no worker ran does not wait for the next minute."""
    weekly_report()
