"""Why a destination did not do what it was asked."""

from lifecycle.exceptions import LifecycleError


class ObjectMissing(LifecycleError):
    """There is no such object."""


class ObjectExists(LifecycleError):
    """There is an object of that name already."""


class ObjectChanged(LifecycleError):
    """Another object has the name than the one that was to be replaced."""


class Unreachable(LifecycleError):
    """The destination refuses, or cannot be reached."""


class Unlocked(LifecycleError):
    """An object could not be locked against deletion, as the site wants it."""
