"""Two tables that fill up by themselves on every site with a sign-up form."""

from datetime import timedelta

from django.db import models
from django.db.models.functions import Now

from lifecycle import LifecycleQuerySetMixin

#: how long an address may stay unconfirmed
CONFIRM_WITHIN = timedelta(minutes=60)
#: the longest life of a one-time password
OTP_LIFE = timedelta(hours=24)


class RetainedQuerySet(LifecycleQuerySetMixin, models.QuerySet):
    """A queryset with `live()` and `tombstoned()`."""


class Retained(models.Model):
    """What both tables share.

    The grace is a column: 0 in production, where an expired password is worth nothing to anybody;
    the story of `manage.py demo` gives its rows a few seconds, under the same policies.
    """

    created_at = models.DateTimeField(db_default=Now(), editable=False)
    grace = models.DurationField(db_default=timedelta(0), help_text="from tombstone to purge")

    objects = RetainedQuerySet.as_manager()

    class Meta:
        abstract = True


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
