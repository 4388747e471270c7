"""Every error this package raises; the docstring of each is its message."""


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
