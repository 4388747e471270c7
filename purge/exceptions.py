"""What stops a run or a batch; the docstring of each is its default message."""

from typing import Any

from lifecycle.exceptions import LifecycleError


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


class HeldMeanwhile(PurgeError):
    """A hold was placed on rows of a model of which some were going along."""


class TiedMeanwhile(HeldMeanwhile):
    """A foreign key came by which the database takes rows along, or one has gone."""


class ArchivedBelow(PurgeError):
    """A row that would go along is to be archived before it goes, by a policy of its own."""

    def __init__(self, unarchived: list[Any]) -> None:
        super().__init__()
        self.unarchived = unarchived


class WrittenBelow(PurgeError):
    """A row that would go along was written, or came, since somebody planned its end."""

    def __init__(self, rows: list[Any] | None = None) -> None:
        super().__init__()
        self.rows = rows or []


class NotDeleted(PurgeError):
    """A row is still there after its DELETE: a trigger or a rule has made something else of it."""


class Unrecorded(PurgeError):
    """No trigger has seen rows go: they stay, for nothing would tell of their end."""


class NotAlike(PurgeError):
    """Some rows of a set do not go with the others."""


class TooMany(PurgeError):
    """More rows would go along than a batch may hold; the same with fewer rows to begin with."""


class PlanAltered(PurgeError):
    """A plan is not what it was when it was made: nothing of it is carried out any more."""


class ErasureRefused(PurgeError):
    """The row cannot be erased now; nothing was changed."""


class ArchiveError(PurgeError):
    """An archive could not be made; its rows stay until one could."""


class OtherSchema(ArchiveError):
    """Files of an archive were written for another schema than their table has now."""
