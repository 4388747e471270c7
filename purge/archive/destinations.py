"""Where archives are kept: a folder, or the bucket that the settings name."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

from lifecycle.conf import conf
from lifecycle.exceptions import LifecycleError
from purge import s3
from purge.archive.bucket import ArchiveBucket
from purge.archive.folder import ArchiveFolder
from purge.archive.refusals import ObjectChanged, ObjectExists, ObjectMissing, Unlocked, Unreachable

__all__ = (
    "ArchiveBucket", "Destination", "ObjectChanged", "ObjectExists", "ObjectMissing", "Unlocked",
    "Unreachable", "destination", "fetch",
)  # fmt: skip

NONE = (
    "There is nowhere to put archives: set AWS_STORAGE_BUCKET_NAME, or LIFECYCLE_ARCHIVE_DIR"
    " for a folder."
)


class Destination(Protocol):
    """Objects by name; a name begins with its prefix, `audit-archives/NAME.json`."""

    @property
    def title(self) -> str:
        """How people call it: `bucket "B"`, `folder /srv/archives`."""

    def url(self, name: str) -> str:
        """The address of an object as other programs write it: `s3://B/NAME`, `file:///srv/NAME`."""

    def names(self, prefix: str, after: str = "") -> Iterator[tuple[str, int]]:
        """The objects whose name begins so, and comes after another, in order, with their bytes."""

    def read(self, name: str) -> Iterator[bytes]:
        """The bytes of an object, in parts. `ObjectMissing` where it is not there."""

    def put(self, name: str, file: BinaryIO, metadata: dict[str, str]) -> None:
        """Put a file with its metadata where nothing is; `ObjectExists` where something is.

        After any other error the object may be there, in full or not at all.
        """

    def replace(self, name: str, body: bytes, before: bytes | None) -> None:
        """Put a small object in the place of one that has just these bytes, or where nothing is.

        `ObjectChanged` where something else is there; after any other error either may be.
        """

    def metadata(self, name: str) -> dict[str, str]:
        """The metadata that an object was put with; empty where the destination keeps none."""

    def remove(self, name: str) -> None:
        """Remove an object, if it is there, and the parts of it that were put."""

    def keeps(self, name: str) -> bool:
        """Whether anything is kept under a name: an object, or an older version of one."""

    def kept(self, prefix: str) -> bool:
        """The same of any name that begins so. `Unreachable` where nobody can know."""

    def erase(self, name: str) -> None:
        """The same with every version of it, and look that nothing is left; `Unreachable` where
        something stays."""


def destination() -> Destination:
    """The destination that the settings name; the bucket, where they name both."""
    if store := s3.store():
        return ArchiveBucket(store)
    if not conf.ARCHIVE_DIR:
        raise LifecycleError(NONE)
    return ArchiveFolder(Path(conf.ARCHIVE_DIR))


def fetch(
    where: Destination, name: str, file: BinaryIO | None = None, most: int | None = None
) -> tuple[int, str]:
    """Read an object to its end: bytes and SHA-256. With a file, copy it there, rewound.

    Of an object with more than `most` bytes no more is read, and the bytes are more than those.
    """
    size, sha = 0, hashlib.sha256()
    for part in where.read(name):
        size += len(part)
        if most is not None and size > most:
            break
        if file:
            file.write(part)
        sha.update(part)
    if file:
        file.seek(0)
    return size, sha.hexdigest()
