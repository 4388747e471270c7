"""A store of media: what objects it has, from when each is, and how they are deleted.

A name is what a file field's column holds. A path is where its object is in the store, so that two
storages over one folder or bucket, one of them below the other, know each other's objects.
"""

import errno
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.core.files.storage import Storage
from django.utils import timezone

from purge import s3

TICK = 1.0  # seconds; a store may round the times of its objects by so much
DEEPEST = 10  # folders of a name of which one may be written with two slashes
GONE = ""  # the code of `delete` for an object that is not there any more


@dataclass(frozen=True)
class StoredObject:
    """An object as the store had it when it was asked.

    `at`: when its bytes were written, None where the store does not say. `moved`: when anything
    else about it changed last. `mark` tells this object from another one under its name.
    """

    at: datetime | None
    moved: datetime | None = None
    mark: Any = None


@dataclass
class Listing:
    """The objects of the names that were asked for; a name without an object is missing.

    `failed`: by a code why nothing is known of one name. `slack`: seconds by which the store's
    times may be wrong against the database's clock.
    """

    objects: dict[str, StoredObject]
    slack: float = TICK
    failed: dict[str, str] = field(default_factory=dict)


class Store:
    """Any storage of Django: one object at a time, by its public methods."""

    def __init__(self, storage: Any) -> None:
        self.storage = storage

    @property
    def root(self) -> tuple[str, ...]:
        """Storages of one root may have objects in common."""
        kind = self.storage.__class__  # not `type`, which is another one where Django made it lazy
        kinds = [each for each in kind.__mro__ if issubclass(each, Storage) and each is not Storage]
        first = kinds[-1] if kinds else kind
        return ("other", first.__module__, first.__qualname__)

    @property
    def prefix(self) -> str:
        """What a path begins with, before the name."""
        return ""

    @property
    def identity(self) -> tuple[Any, ...]:
        """Equal for storages that reach the same objects by the same names."""
        return (*self.root, self.prefix, id(self.storage))

    def path(self, name: str) -> str:
        """Where the object of a name is."""
        return self.prefix + name

    def names_of(self, path: str) -> list[str]:
        """The names by which a row may know the object at a path; none where it is elsewhere.

        The plain one, and spellings that storages read as the same: a site may write names itself.
        """
        if not path.startswith(self.prefix):
            return []
        name = path.removeprefix(self.prefix)
        slashes = [index for index, letter in enumerate(name) if letter == "/"][:DEEPEST]
        doubled = [f"{name[:index]}/{name[index:]}" for index in slashes]
        return [name, f"./{name}", f"/{name}", name.replace("/", "\\"), *doubled]

    def list_objects(self, names: Iterable[str]) -> Listing:
        """The objects that are there now. Raises what the storage raises: then nothing is known."""
        return Listing({name: self._object(name) for name in names if self.storage.exists(name)})

    def delete(self, objects: Mapping[str, StoredObject]) -> dict[str, str]:
        """Delete these very objects; for each name `GONE`, or a code why its object is there."""
        return {name: self._delete(name) for name in objects}

    def undo(self, deleted: Mapping[str, StoredObject], shown: Callable[[], set[str]]) -> list[str]:
        """Restore objects after a delete: of names that came since, or are `shown` by a row.

        Returns the names restored: here none, for a plain storage keeps no versions.
        """
        return []

    def _object(self, name: str) -> StoredObject:
        try:
            at = self.storage.get_modified_time(name)
        except NotImplementedError:
            return StoredObject(None)
        return StoredObject(at if timezone.is_aware(at) else timezone.make_aware(at))

    def _delete(self, name: str) -> str:
        try:
            self.storage.delete(name)
            return "StillThere" if self.storage.exists(name) else GONE
        except Exception as error:  # whatever a storage raises: its object stays, and is blocked
            return code_of(error)


def code_of(error: Exception) -> str:
    """A short code of an error, never its message, which may hold anything."""
    if isinstance(error, OSError) and error.errno:
        return errno.errorcode.get(error.errno, type(error).__name__)
    return s3.code_of(error)
