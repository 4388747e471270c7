"""`manage.py cleanup_email_suppressions`: soft bounces, and what is remembered of old ones."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.core.validators import validate_email

from demo.cleanups import Cleanup, Part
from demo.cleanups.suppressions import SoftBounces, StaleBounces
from demo.reports.health import health
from demo.reports.texts import mail


class Command(Cleanup):
    help = "Deactivate old soft bounces, delete stale ones; hard bounces and complaints stay."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--email-report", metavar="ADDRESS", help="then send the health report")
        super().add_arguments(parser)

    def parts(self, options: dict[str, Any]) -> list[Part]:
        return [SoftBounces(), StaleBounces()]

    def handle(self, *args: Any, **options: Any) -> None:
        address = options["email_report"]
        if address is not None:
            _refuse_wrong(address)
        super().handle(*args, **options)
        if address and options["dry_run"]:
            self.say([f"Would send the email report to {address}"])
        elif address:
            _send(address)
            self.say([f"Email report sent to {address}"])


def _refuse_wrong(address: str) -> None:
    try:
        validate_email(address)
    except ValidationError as error:
        raise CommandError(f"{address!r} is no mail address.") from error


def _send(address: str) -> None:
    try:
        mail(health(), address)
    except Exception as error:  # a backend raises what its library raises
        text = f"The suppressions are cleaned up, but the mail was not sent: {error}"
        raise CommandError(text) from error
