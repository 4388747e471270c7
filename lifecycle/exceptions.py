"""Every error this package raises; the docstring of each is its message.

And what an error about a mistyped name suggests.
"""

import difflib
from collections.abc import Iterable


class LifecycleError(Exception):
    """The lifecycle engine refused."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.__doc__)


class PolicyError(LifecycleError):
    """A policy is declared wrongly."""


class NoPolicy(LifecycleError):
    """No policy is registered for this model or under this name."""


class RowMissing(LifecycleError):
    """The row is not in the database, so nothing can be recorded about it."""


class ConditionNotMet(LifecycleError):
    """The row does not match the policy's `when`, so the policy cannot end it."""


class Busy(LifecycleError):
    """A table could not be locked, for others are never done with it."""


class EmbeddedError(RuntimeError):
    """The embedded PostgreSQL cannot be used; the message says why and what to do."""


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name that is most like a mistyped one; '' where none is like it."""
    return next(iter(difflib.get_close_matches(name, list(known), n=1)), "")


def did_you_mean(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """A sentence that suggests the nearest known name, after a space; else `otherwise`."""
    near = nearest(name, known)
    return f" Did you mean {near!r}?" if near else otherwise
