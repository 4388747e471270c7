"""Putting the files of an archive where it is kept, and reading them back."""

import hashlib
import io
from typing import BinaryIO

from purge.archive.destinations import Destination, ObjectMissing, ObjectThere
from purge.archive.manifest import SUFFIX, File, read
from purge.exceptions import ArchiveError
from purge.models import Archive

MARK = "archive"  # the metadata that says whose an object is


class NameTaken(ArchiveError):
    """An object of somebody else has the name."""


def put(where: Destination, archive: Archive, file: File, content: BinaryIO) -> None:
    """Put a file, once: one that a try before has put is used, or replaced where it is not whole.

    `NameTaken` where another's object is there.
    """
    told = {"sha256": file.sha256, MARK: str(archive.mark)}
    content.seek(0)
    try:
        where.put(file.name, content, told)
    except ObjectThere as error:
        if is_whole(where, file):
            return
        if not _is_own(where, archive, file):
            raise NameTaken(str(error)) from error
        where.remove(file.name)
        content.seek(0)
        where.put(file.name, content, told)


def put_text(where: Destination, archive: Archive, name: str, text: str) -> None:
    """Put a small file, read it back, and compare."""
    file = _text_file(name, text)
    put(where, archive, file, io.BytesIO(text.encode()))
    compare(where, [file])


def is_taken(where: Destination, archive: Archive) -> bool:
    """Whether there is an archive of that name; files of other formats do not show it."""
    name = manifest_name(archive)
    return name in (each for each, _ in where.names(name))


def is_there(where: Destination, archive: Archive) -> bool:
    """Whether all of an archive is where it was put, by names and sizes; nothing is read."""
    if archive.place != where.title:
        return False
    there = dict(where.names(f"{archive.prefix}{archive.name}"))
    return all(there.get(file.name) == file.bytes for file in put_before(archive))


def put_before(archive: Archive) -> list[File]:
    """What earlier tries may have put, its manifest too."""
    if not archive.manifest:
        return []
    manifest = _text_file(manifest_name(archive), archive.manifest)
    return [*read(archive.manifest).files, manifest]


def _text_file(name: str, text: str) -> File:
    body = text.encode()
    return File("", name, len(body), hashlib.sha256(body).hexdigest())


def compare(where: Destination, files: list[File]) -> None:
    """Read files back to their end; `ArchiveError` for the first that is not what was written."""
    for file in files:
        try:
            size, sha = _read(where, file.name)
        except ObjectMissing as error:
            raise ArchiveError(f"{error} It was put there a moment ago.") from error
        if (size, sha) != (file.bytes, file.sha256):
            raise ArchiveError(
                f"{file.name} in {where.title} is not what was written: {size} bytes of"
                f" {file.bytes}, SHA-256 {sha[:16]} and not {file.sha256[:16]}."
            )


def is_whole(where: Destination, file: File) -> bool:
    """Whether an object is there and is what was written."""
    try:
        return _read(where, file.name) == (file.bytes, file.sha256)
    except ObjectMissing:
        return False


def discard(where: Destination, archive: Archive, files: list[File]) -> None:
    """Remove what an archive has put, and nothing of anybody else."""
    for file in files:
        try:
            if is_whole(where, file) or _is_own(where, archive, file):
                where.remove(file.name)
        except ObjectMissing:
            continue


def manifest_name(archive: Archive) -> str:
    return f"{archive.prefix}{archive.name}{SUFFIX}"


def _is_own(where: Destination, archive: Archive, file: File) -> bool:
    return where.told(file.name).get(MARK) == str(archive.mark)


def _read(where: Destination, name: str) -> tuple[int, str]:
    size, sha = 0, hashlib.sha256()
    for part in where.read(name):
        sha.update(part)
        size += len(part)
    return size, sha.hexdigest()
