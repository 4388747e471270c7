"""Tokens that nothing accepts any more."""

from .part import Part


class RefusedTokens(Part):
    """Of the plain blacklist."""

    policy = "expired-tokens"
    noun = "expired token(s)"
    lists = False


class IssuedTokens(Part):
    """simplejwt's outstanding tokens; its blacklist goes along with them."""

    policy = "expired-issued-tokens"
    noun = "expired simplejwt token(s)"
    lists = False
