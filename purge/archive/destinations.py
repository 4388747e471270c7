"""Where archives are: a folder, or the bucket that the settings name."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from lifecycle.conf import conf
from lifecycle.errors import LifecycleError

from .. import s3

NONE = (
    "There is nowhere to put archives: set AWS_STORAGE_BUCKET_NAME, or LIFECYCLE_ARCHIVE_DIR"
    " for a folder."
)


class ObjectMissing(LifecycleError):
    """There is no such object."""


class Unreachable(LifecycleError):
    """The destination refuses, or cannot be reached."""


class Destination(Protocol):
    """Objects by name; a name begins with its prefix, `audit-archives/NAME.json`."""

    @property
    def title(self) -> str:
        """How people call it: `bucket "B"`, `folder /srv/archives`."""

    def names(self, prefix: str) -> Iterator[tuple[str, int]]:
        """The objects whose name begins so, in order, with their bytes."""

    def read(self, name: str) -> Iterator[bytes]:
        """The bytes of an object, in parts. `ObjectMissing` where it is not there."""


def destination() -> Destination:
    """The destination that the settings name; the bucket, where they name both."""
    if store := s3.store():
        return Bucket(store)
    if not conf.ARCHIVE_DIR:
        raise LifecycleError(NONE)
    return Folder(Path(conf.ARCHIVE_DIR))


PART = 2**20  # bytes


@dataclass(frozen=True)
class Folder:
    """A folder of this machine."""

    root: Path

    @property
    def title(self) -> str:
        return f"folder {self.root.absolute()}"

    def path(self, name: str) -> Path:
        """Where an object is; never outside the folder."""
        root = self.root.resolve()
        path = (root / name).resolve()
        if not path.is_relative_to(root):
            raise LifecycleError(f"{name!r} is outside of {self.title}.")
        return path

    def names(self, prefix: str) -> Iterator[tuple[str, int]]:
        found = (
            (path.relative_to(self.root).as_posix(), path.stat().st_size)
            for path in self.root.rglob("*")
            if path.is_file()
        )
        yield from sorted(each for each in found if each[0].startswith(prefix))

    def read(self, name: str) -> Iterator[bytes]:
        try:
            with self.path(name).open("rb") as file:
                while part := file.read(PART):
                    yield part
        except FileNotFoundError as error:
            raise ObjectMissing(f"{name} is missing in {self.title}.") from error
        except OSError as error:
            why = os.strerror(error.errno or 0)
            raise Unreachable(f"{name} in {self.title} cannot be read: {why}.") from error


@dataclass(frozen=True)
class Bucket:
    """A bucket of S3, R2, or what speaks like them."""

    store: s3.Store

    @property
    def title(self) -> str:
        return f'bucket "{self.store.bucket}"'

    def names(self, prefix: str) -> Iterator[tuple[str, int]]:
        with self._speaking(prefix):
            pages = self.store.client().get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self.store.bucket, Prefix=prefix):
                yield from ((item["Key"], item["Size"]) for item in page.get("Contents", ()))

    def read(self, name: str) -> Iterator[bytes]:
        with self._speaking(name):
            found = self.store.client().get_object(Bucket=self.store.bucket, Key=name)
            with closing(found["Body"]) as body:
                yield from body.iter_chunks(PART)

    @contextmanager
    def _speaking(self, name: str) -> Iterator[None]:
        try:
            yield
        except s3.errors() as error:
            if s3.is_missing(error):
                raise ObjectMissing(f"{name} is missing in {self.title}.") from error
            raise Unreachable(f"{self.title} answers {s3.code_of(error)}.") from error


def fetch(where: Destination, name: str, file: BinaryIO) -> tuple[int, str]:
    """Copy an object into a file, part by part, and go back to its start: bytes and SHA-256."""
    size, sha = 0, hashlib.sha256()
    for part in where.read(name):
        file.write(part)
        sha.update(part)
        size += len(part)
    file.seek(0)
    return size, sha.hexdigest()
