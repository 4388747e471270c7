"""Where a log is published: its objects below a prefix of the archive destination."""

import io
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from lifecycle.exceptions import LifecycleError
from purge.archive.destinations import (
    ArchiveBucket,
    Destination,
    ObjectExists,
    ObjectMissing,
    Unlocked,
)

AT_ONCE = 8  # requests
LARGEST = 2**30  # bytes of one object that are read


class Conflict(LifecycleError):
    """The store has something else under the path of an object that never changes."""


@dataclass(frozen=True)
class ProofStore:
    """The objects of one log. Those that never change are put once; the checkpoint is replaced."""

    where: Destination
    prefix: str  # ends with a slash
    lock: timedelta | None = None  # how long what never changes cannot be deleted

    @property
    def title(self) -> str:
        """Where it is, for people."""
        return f"{self.prefix} in {self.where.title}"

    def read(self, path: str) -> bytes | None:
        """An object; None where there is none. `Unreachable` where that cannot be known."""
        parts, size = [], 0
        try:
            for part in self.where.read(self.prefix + path):
                parts.append(part)
                size += len(part)
                if size > LARGEST:
                    raise Conflict(f"{path} in {self.title} has more bytes than any of ours.")
        except ObjectMissing:
            return None
        return b"".join(parts)

    def put(self, path: str, data: bytes) -> None:
        """Put an object that never changes, and read it back; `Conflict` where another is there.

        Where the site wants it, it is locked then, and `Unlocked` where the store has not done so.
        """
        with suppress(ObjectExists):  # of an earlier try, or of somebody else: that is seen now
            self.where.put(self.prefix + path, io.BytesIO(data), {})
        if self.read(path) != data:
            raise Conflict(f"{path} in {self.title} is not what was sealed.")
        self.retain(path)

    def check_lock(self) -> None:
        """Raises `Unlocked` where the site wants locks and the store has none."""
        where = self.where
        if self.lock is not None and not (isinstance(where, ArchiveBucket) and where.has_lock()):
            raise Unlocked(f"{self.title} has no Object Lock, which LIFECYCLE_PROOF asks for.")

    def retain(self, path: str) -> None:
        """Lock an object that never changes, where the site wants it; `Unlocked` if it is not."""
        if self.lock is not None and isinstance(self.where, ArchiveBucket):
            self.where.retain(self.prefix + path, datetime.now(UTC) + self.lock)

    def put_all(self, objects: Mapping[str, bytes]) -> None:
        """Put objects, several at a time; when this returns all have been read back."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for _ in pool.map(self.put, objects.keys(), objects.values()):
                pass

    def replace(self, path: str, data: bytes, before: bytes | None) -> None:
        """Put an object in the place of one, and read it back; `Conflict` if it is not there."""
        if self.read(path) != data:  # by an earlier try
            self.where.replace(self.prefix + path, data, before)
        if self.read(path) != data:
            raise Conflict(f"{path} in {self.title} is not what was just put there.")

    def names(self, below: str, after: str = "") -> Iterator[str]:
        """The paths that begin so, and come after another, in order."""
        for name, _ in self.where.names(self.prefix + below, self.prefix + after if after else ""):
            yield name.removeprefix(self.prefix)
