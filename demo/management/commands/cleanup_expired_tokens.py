"""`manage.py cleanup_expired_tokens`: blacklists of tokens, without those that have expired."""

from typing import Any

from django.apps import apps

from demo.cleanups import Cleanup, Part
from demo.cleanups.tokens import IssuedTokens, RefusedTokens

SIMPLEJWT = "rest_framework_simplejwt.token_blacklist"


class Command(Cleanup):
    help = "End tokens that have expired: the plain blacklist's, and simplejwt's where installed."

    def parts(self, options: dict[str, Any]) -> list[Part]:
        return [RefusedTokens(), *([IssuedTokens()] if apps.is_installed(SIMPLEJWT) else [])]
