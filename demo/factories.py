"""Rows of the demonstration by the state they are in; for the demo and for tests.

PendingRegistrationFactory()                 live
PendingRegistrationFactory(otp_expired=True) past the end of its one-time password
PendingRegistrationFactory(unconfirmed=True) older than the 60 minutes
UserOTPFactory(used=True)                    used a second ago
"""

from datetime import timedelta
from typing import Any

import factory
from django.utils import timezone

from .models import CONFIRM_WITHIN, OTP_LIFE, PendingRegistration, UserOTP

MOMENT = timedelta(seconds=1)


def ago(**span: float) -> Any:
    """A time before the moment at which the row is made."""
    return factory.LazyFunction(lambda: timezone.now() - timedelta(**span))


class PendingRegistrationFactory(factory.django.DjangoModelFactory):
    """A registration; live unless a state is named."""

    email = factory.Sequence(lambda n: f"person-{n}@example.com")
    token = factory.Faker("sha256")
    created_at = factory.LazyFunction(timezone.now)
    grace = timedelta(0)
    otp_expires_at = ago(minutes=-10)

    class Meta:
        model = PendingRegistration

    class Params:
        otp_expired = factory.Trait(
            created_at=ago(minutes=20), otp_expires_at=ago(seconds=MOMENT.seconds)
        )
        unconfirmed = factory.Trait(
            created_at=ago(seconds=(CONFIRM_WITHIN + MOMENT).total_seconds()), otp_expires_at=None
        )


class UserOTPFactory(factory.django.DjangoModelFactory):
    """A one-time password; live unless a state is named."""

    email = factory.Sequence(lambda n: f"person-{n}@example.com")
    code_hash = factory.Faker("sha256")
    created_at = factory.LazyFunction(timezone.now)
    grace = timedelta(0)
    expires_at = ago(minutes=-10)

    class Meta:
        model = UserOTP

    class Params:
        used = factory.Trait(used_at=ago(seconds=MOMENT.seconds))
        expired = factory.Trait(created_at=ago(minutes=20), expires_at=ago(seconds=MOMENT.seconds))
        forgotten = factory.Trait(
            created_at=ago(seconds=(OTP_LIFE + MOMENT).total_seconds()), expires_at=ago(days=-9)
        )
