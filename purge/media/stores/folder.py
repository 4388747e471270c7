"""Media in a folder, through `FileSystemStorage`."""

import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from purge.media.stores.base import Listing, Store, StoredObject, code_of

FILE_TICK = 0.02  # seconds; a kernel's clock for files is a little behind


class MediaFolder(Store):
    """`FileSystemStorage`: files below a folder."""

    @property
    def root(self) -> tuple[str, ...]:
        return ("folder",)

    @property
    def prefix(self) -> str:
        return os.path.join(os.path.realpath(self.storage.location), "")

    @property
    def identity(self) -> tuple[Any, ...]:
        return (*self.root, self.prefix)

    def names_of(self, path: str) -> list[str]:
        """Also from the root, as `location` has it and without its links."""
        names = super().names_of(path)
        here = os.path.join(os.path.abspath(self.storage.location), "")
        return [*names, path, here + names[0]] if names else []

    def list_objects(self, names: Iterable[str]) -> Listing:
        listing = Listing({}, FILE_TICK)
        for name in names:
            try:
                if stat := self._stat(name):
                    listing.objects[name] = _file(stat)
            except OSError as error:
                listing.failed[name] = code_of(error)
        return listing

    def _stat(self, name: str) -> os.stat_result | None:
        try:
            return os.lstat(self.storage.path(name))
        except (FileNotFoundError, NotADirectoryError):
            return None

    def delete(self, found: Mapping[str, StoredObject]) -> dict[str, str]:
        return {name: self._delete_same(name, one) for name, one in found.items()}

    def _delete_same(self, name: str, one: StoredObject) -> str:
        """Delete the file that was listed; a later one may have its name by now."""
        if os.path.isdir(self.storage.path(name)):
            return "IsADirectory"  # which `delete` would remove
        stat = self._stat(name)
        if stat and _file(stat).mark != one.mark:
            return "Changed"
        return self._delete(name)


def _file(stat: os.stat_result) -> StoredObject:
    """A file that is moved into place keeps the time of its bytes; `moved` says when it came."""
    at, moved = (datetime.fromtimestamp(each, UTC) for each in (stat.st_mtime, stat.st_ctime))
    return StoredObject(at, moved, (stat.st_dev, stat.st_ino, stat.st_mtime_ns, stat.st_size))
