"""`manage.py archive_audit_logs`: old audit logs into archives, then out of the database."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings

from demo.cleanups import Cleanup, Part
from demo.cleanups.ages import days
from demo.cleanups.audit import AuditLogs


class Command(Cleanup):
    help = "Archive old audit logs; they are deleted when the archive was read back and matches."

    def add_arguments(self, parser: ArgumentParser) -> None:
        days.add_to(parser, "--days", settings.DEMO_AUDIT_LOG_DAYS, "written so many days ago")
        super().add_arguments(parser)

    def parts(self, options: dict[str, Any]) -> list[Part]:
        return [AuditLogs(options["days"], settings.DEMO_AUDIT_LOG_DAYS)]
