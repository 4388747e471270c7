"""What stops a run; the docstring of each is its message."""

from typing import Any

from lifecycle.errors import LifecycleError


class PurgeError(LifecycleError):
    """The worker stopped."""


class Halt(PurgeError):
    """A brake stops the policy until a named person resumes it."""

    def __init__(self, cause: str, message: str, **detail: Any) -> None:
        super().__init__(message)
        self.cause, self.detail = cause, detail


class HeldBelow(PurgeError):
    """A row that would go along is held."""

    def __init__(self, held: list[Any]) -> None:
        super().__init__()
        self.held = held


class ErasureRefused(PurgeError):
    """The row cannot be erased now; nothing was changed."""
