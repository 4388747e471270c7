"""Audit logs leave the database a month after they were written, for archives that are read back.

They go by the day, and archives are made of whole months: each in one.
"""

from datetime import timedelta

from django.conf import settings
from django.db.models import F

from demo.models import AuditLog
from lifecycle import Archive, Policy, Window, register

register(
    Policy(
        "audit-logs",
        AuditLog,
        expires=F("created_at") + timedelta(days=settings.DEMO_AUDIT_LOG_DAYS),
        capture=Window("1 day"),
        disposition=Archive(prefix="audit-archives/", formats=("json", "txt"), every="1 month"),
        cap_fraction=1.0,  # a month may be half of the table, and an archive is brought back
    )
)
