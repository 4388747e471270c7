"""Two tables that fill up by themselves on every site with a sign-up form."""

from django.db import models

from .base import Retained


class PendingRegistration(Retained):
    """Somebody who has typed an address and has not confirmed it yet."""

    email = models.EmailField()
    token = models.CharField(max_length=64)
    otp_expires_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.email


class UserOTP(Retained):
    """A one-time password, of which only the hash is stored."""

    email = models.EmailField()
    code_hash = models.CharField(max_length=128)
    used_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField()

    class Meta:
        verbose_name = "one-time password"

    def __str__(self) -> str:
        return f"{self.email} {self.pk}"
