"""Accounts."""

import factory
from django.conf import settings

from demo.models import User

from .times import ago


class UserFactory(factory.django.DjangoModelFactory):
    """An account with a verified address, unless a state is named. Nobody can log in to it."""

    username = factory.Sequence(lambda n: f"user-{n}")
    email = factory.LazyAttribute(lambda user: f"{user.username}@example.com")
    password = "!"  # noqa: S105 - nothing that a password could match
    date_joined = ago(hours=1)
    email_verified_at = ago(minutes=50)

    class Meta:
        model = User

    class Params:
        unverified = factory.Trait(email_verified_at=None)
        forgotten = factory.Trait(
            email_verified_at=None, date_joined=ago(days=settings.DEMO_UNVERIFIED_DAYS + 1)
        )
