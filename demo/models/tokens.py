"""Tokens that are refused though they are signed, until they would have expired anyway."""

from django.db import models
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from .base import Made


class RefusedToken(Made):
    """A token of which somebody has logged out."""

    jti = models.CharField(max_length=255, unique=True)
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.jti


class IssuedToken(OutstandingToken):
    """simplejwt's refresh tokens: a proxy, so that the triggers' migration is ours."""

    class Meta:
        proxy = True
