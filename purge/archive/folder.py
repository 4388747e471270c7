"""A folder of this machine, where archives are kept.

Others may write into the folder, or into one above it. So each step goes by the descriptor of the
folder that was opened before, no link is followed below the root, and nothing is written under a
name that somebody could know before. What is made here is for its owner alone; a folder that is
there stays as it is.
"""

import errno
import fcntl
import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from lifecycle.exceptions import LifecycleError
from purge.archive.refusals import ObjectChanged, ObjectExists, ObjectMissing, Unreachable

PART = 2**20  # bytes
FILE, FOLDER = 0o600, 0o700
OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
# Not blocking: the open of a pipe would wait for its other end.
OPEN_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
MAKE_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
LINKS = {errno.ELOOP, errno.ENOTDIR}  # of an open that follows none
A_LINK = "there is a link, or no folder, in its path"


@dataclass(frozen=True)
class ArchiveFolder:
    """A folder of this machine. Its root may be a link; below it none is followed."""

    root: Path

    @property
    def title(self) -> str:
        return f"folder {self.root.absolute()}"

    def url(self, name: str) -> str:
        return f"file://{self.root.absolute()}/{name}"

    def names(self, prefix: str, after: str = "") -> Iterator[tuple[str, int]]:
        with self._translated(prefix or "the root", "listed"):
            found = sorted(self._below(prefix.rpartition("/")[0]))
        yield from (each for each in found if each[0].startswith(prefix) and each[0] > after)

    def _below(self, folder: str) -> Iterator[tuple[str, int]]:
        """Every file below a folder, and nothing of what is beside it."""
        within = f"{folder}/" if folder else ""
        with suppress(FileNotFoundError), self._folder_of(f"{within}x") as (descriptor, _):
            yield from ((within + name, size) for name, size in _files(descriptor))

    def read(self, name: str) -> Iterator[bytes]:
        with (
            self._translated(name, "read"),
            self._folder_of(name) as (folder, own),
            _opened(own, folder) as file,
        ):
            if file is None:
                raise Unreachable(f"{name} in {self.title} cannot be read: it is no file.")
            while part := file.read(PART):
                yield part

    def put(self, name: str, file: BinaryIO, metadata: dict[str, str]) -> None:
        with self._translated(name, "written"), self._folder_of(name, make=True) as (folder, own):
            part = f".{own}.{secrets.token_hex(8)}.part"
            descriptor = os.open(part, MAKE_FILE, FILE, dir_fd=folder)
            try:
                with os.fdopen(descriptor, "wb") as copy:
                    shutil.copyfileobj(file, copy, PART)
                    copy.flush()
                    os.fsync(copy.fileno())
                # Whole or not at all, and never over another.
                os.link(part, own, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
            finally:
                with suppress(FileNotFoundError):
                    os.unlink(part, dir_fd=folder)
            os.fsync(folder)

    def replace(self, name: str, body: bytes, before: bytes | None) -> None:
        with self._translated(name, "written"), self._folder_of(name, make=True) as (folder, own):
            fcntl.flock(folder, fcntl.LOCK_EX)  # to the end of the block, which closes it
            if _bytes_of(own, folder) != before:
                raise ObjectChanged(f"{name} in {self.title} is another one than before.")
            part = f".{own}.{secrets.token_hex(8)}.part"
            with os.fdopen(os.open(part, MAKE_FILE, FILE, dir_fd=folder), "wb") as copy:
                copy.write(body)
                copy.flush()
                os.fsync(copy.fileno())
            os.rename(part, own, src_dir_fd=folder, dst_dir_fd=folder)
            os.fsync(folder)

    def metadata(self, name: str) -> dict[str, str]:
        return {}

    def remove(self, name: str) -> None:
        """Remove a file, and the parts of it that killed workers have left."""
        with (
            self._translated(name, "removed"),
            suppress(FileNotFoundError),
            self._folder_of(name) as (folder, own),
        ):
            parts = re.compile(rf"\.{re.escape(own)}(\.[0-9a-f]{{16}})?\.part")
            for each in [own, *filter(parts.fullmatch, os.listdir(folder))]:
                with suppress(FileNotFoundError):
                    os.unlink(each, dir_fd=folder)

    def keeps(self, name: str) -> bool:
        return any(each == name for each, _ in self.names(name))

    def kept(self, prefix: str) -> bool:
        if not self.root.is_dir():  # a volume that is not mounted has nothing either
            raise Unreachable(f"{self.root.absolute()} is no folder: mount it, or make it.")
        return any(True for _ in self.names(prefix))

    def erase(self, name: str) -> None:
        """The same; a folder keeps no versions. Its own backups and snapshots are not ours."""
        self.remove(name)
        with (
            self._translated(name, "removed"),
            suppress(FileNotFoundError),
            self._folder_of(name) as (folder, own),
        ):
            os.fsync(folder)
            if own in os.listdir(folder):
                raise Unreachable(f"{name} in {self.title} is still there after it was removed.")

    @contextmanager
    def _folder_of(self, name: str, make: bool = False) -> Iterator[tuple[int, str]]:
        """The descriptor of the folder that holds an object, and the object's name there."""
        *folders, own = self._steps(name)
        if make:
            _make_root(self.root)
        descriptor = os.open(self.root, OPEN_FOLDER)
        try:
            for each in folders:
                above, descriptor = descriptor, _enter(each, descriptor, make)
                os.close(above)
            yield descriptor, own
        finally:
            os.close(descriptor)

    def _steps(self, name: str) -> list[str]:
        """The folders on the way to an object, and its own name; `LifecycleError` where it is
        outside of the root."""
        steps = name.split("/")
        if {"", ".", ".."} & set(steps) or "\0" in name:
            raise LifecycleError(f"{name!r} is outside of {self.title}.")
        return steps

    @contextmanager
    def _translated(self, name: str, done: str) -> Iterator[None]:
        try:
            yield
        except FileExistsError as error:
            raise ObjectExists(f"{name} is in {self.title} already.") from error
        except OSError as error:
            if isinstance(error, FileNotFoundError) and done == "read":
                raise ObjectMissing(f"{name} is missing in {self.title}.") from error
            why = A_LINK if error.errno in LINKS else os.strerror(error.errno or 0)
            raise Unreachable(f"{name} in {self.title} cannot be {done}: {why}.") from error


def _bytes_of(name: str, folder: int) -> bytes | None:
    """All of a small file; None where there is none, or something that is no file."""
    try:
        with _opened(name, folder) as file:
            return file.read() if file else b""
    except FileNotFoundError:
        return None


@contextmanager
def _opened(name: str, folder: int) -> Iterator[BinaryIO | None]:
    """A file in a folder, open for reading; None for what is none."""
    descriptor = os.open(name, OPEN_FILE, dir_fd=folder)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        yield None
        return
    with os.fdopen(descriptor, "rb") as file:
        yield file


def _files(top: int) -> Iterator[tuple[str, int]]:
    """Every file below a folder and its bytes; `OSError` where a folder cannot be read."""

    def fail(error: OSError) -> None:
        raise error

    for path, _, files, folder in os.fwalk(".", onerror=fail, dir_fd=top):
        for each in files:
            if (size := _size(each, folder)) is not None:
                yield os.path.normpath(f"{path}/{each}"), size


def _size(name: str, folder: int) -> int | None:
    """The bytes of a file; None for what is none, a link for one, or is gone."""
    try:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
    return found.st_size if stat.S_ISREG(found.st_mode) else None


def _make_root(root: Path) -> None:
    """Make the root where it is not there, and what is missing above it."""
    if not root.exists():
        _make_root(root.parent)
        with suppress(FileExistsError):
            root.mkdir(FOLDER)


def _enter(name: str, folder: int, make: bool) -> int:
    """The descriptor of a folder in a folder."""
    try:
        return os.open(name, OPEN_FOLDER | os.O_NOFOLLOW, dir_fd=folder)
    except FileNotFoundError:
        if not make:
            raise
    with suppress(FileExistsError):
        os.mkdir(name, FOLDER, dir_fd=folder)
        os.fsync(folder)  # without, a loss of power may take the names of new files
    return os.open(name, OPEN_FOLDER | os.O_NOFOLLOW, dir_fd=folder)
