"""`manage.py cleanup_unverified_users`: accounts whose address was never verified."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings

from demo.cleanups import Cleanup, Part
from demo.cleanups.ages import days
from demo.cleanups.users import UnverifiedUsers


class Command(Cleanup):
    help = "End accounts whose address was never verified; superusers and staff never."

    def add_arguments(self, parser: ArgumentParser) -> None:
        days.add_to(parser, "--days", settings.DEMO_UNVERIFIED_DAYS, "registered so many days ago")
        super().add_arguments(parser)

    def parts(self, options: dict[str, Any]) -> list[Part]:
        override = days.override(options["days"], settings.DEMO_UNVERIFIED_DAYS)
        return [UnverifiedUsers(options["days"], override)]
