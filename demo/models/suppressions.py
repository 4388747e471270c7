"""Addresses to which no mail is sent."""

from django.db import models

from .base import Made


class EmailSuppression(Made):
    """An address that bounced or complained.

    A soft bounce may pass by itself, so it is deactivated after a while; hard bounces and
    complaints stay for ever.
    """

    class Kind(models.TextChoices):
        SOFT = "soft"
        HARD = "hard"
        COMPLAINT = "complaint"

    address = models.EmailField(unique=True)
    kind = models.CharField(max_length=9, choices=Kind)
    reason = models.CharField(max_length=200, blank=True)
    count = models.PositiveIntegerField(default=1)
    first_bounce_at = models.DateTimeField()
    last_bounce_at = models.DateTimeField()
    active = models.BooleanField(default=True)
    deactivated_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.address
