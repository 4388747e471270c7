"""Who did what."""

from django.db import models

from .base import Made


class AuditLog(Made):
    """One action; kept in the database for a month, and in archives afterwards."""

    actor = models.CharField(max_length=150)
    action = models.CharField(max_length=50)
    target = models.CharField(max_length=200)
    ip = models.GenericIPAddressField(null=True, blank=True)
    detail = models.JSONField(default=dict, blank=True)

    class Meta:
        db_table = "audit_logs"
        indexes = (models.Index(fields=["created_at"], name="audit_logs_created_at"),)

    def __str__(self) -> str:
        return f"{self.created_at:%Y-%m-%d %H:%M} {self.actor} {self.action} {self.target}"
