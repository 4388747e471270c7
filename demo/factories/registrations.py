"""Registrations and one-time passwords."""

from datetime import timedelta

import factory
from django.conf import settings
from django.utils import timezone

from demo.models import PendingRegistration, UserOTP

from .times import ago


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
        otp_expired = factory.Trait(created_at=ago(minutes=20), otp_expires_at=ago(seconds=1))
        unconfirmed = factory.Trait(
            created_at=ago(minutes=settings.DEMO_PENDING_MINUTES, seconds=1), otp_expires_at=None
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
        used = factory.Trait(used_at=ago(seconds=1))
        expired = factory.Trait(created_at=ago(minutes=20), expires_at=ago(seconds=1))
        forgotten = factory.Trait(
            created_at=ago(minutes=settings.DEMO_OTP_MINUTES, seconds=1), expires_at=ago(days=-9)
        )
