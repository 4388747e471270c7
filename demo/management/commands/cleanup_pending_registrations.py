"""`manage.py cleanup_pending_registrations`: what a sign-up form leaves behind."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings

from demo.cleanups import Cleanup, Part
from demo.cleanups.ages import minutes
from demo.cleanups.registrations import ExpiredPending, OldPending, StaleOtps


class Command(Cleanup):
    help = "End registrations that nobody confirmed, and one-time passwords; counted by cause."

    def add_arguments(self, parser: ArgumentParser) -> None:
        about = "registrations made so many minutes ago"
        minutes.add_to(parser, "--pending-age", settings.DEMO_PENDING_MINUTES, about)
        about = "one-time passwords made so many minutes ago"
        minutes.add_to(parser, "--otp-age", settings.DEMO_OTP_MINUTES, about)
        super().add_arguments(parser)

    def parts(self, options: dict[str, Any]) -> list[Part]:
        pending = minutes.override(options["pending_age"], settings.DEMO_PENDING_MINUTES)
        otp = minutes.override(options["otp_age"], settings.DEMO_OTP_MINUTES)
        return [ExpiredPending(), OldPending(**pending), StaleOtps(**otp)]
