"""People who have an account."""

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from .base import RetainedQuerySet


class Users(UserManager.from_queryset(RetainedQuerySet)):  # type: ignore[misc]
    """Django's manager of users, with `live()` and `tombstoned()`."""

    use_in_migrations = False


class User(AbstractUser):
    """An account; nobody knows whether its address is theirs before `email_verified_at`."""

    email_verified_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[Any] = Users()

    class Meta(AbstractUser.Meta):
        constraints = (
            models.UniqueConstraint(
                Lower("email"), condition=~Q(email=""), name="one_user_an_address"
            ),
        )
