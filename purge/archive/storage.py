"""Put the files of an archive at its destination, and read them back."""

import hashlib
import io
import tempfile
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, BinaryIO, Protocol

from purge.archive.destinations import Destination, ObjectExists, ObjectMissing, fetch
from purge.archive.manifest import SUFFIX, File, read
from purge.exceptions import ArchiveError
from purge.models import Archive

Seen = Callable[[File, BinaryIO], None]
MARK = "archive"  # the metadata that names the archive which put an object


class Marked(Protocol):
    """What puts objects, which have its mark."""

    mark: Any


class NameTaken(ArchiveError):
    """An object of somebody else has the name."""


def put(where: Destination, archive: Marked, file: File, content: BinaryIO) -> None:
    """Put a file. One from an earlier try is used, or replaced where it is not whole.

    `NameTaken` where an object of another archive has the name.
    """
    metadata = {"sha256": file.sha256, MARK: str(archive.mark)}
    content.seek(0)
    try:
        where.put(file.name, content, metadata)
    except ObjectExists as error:
        if is_whole(where, file):
            return
        if not _is_own(where, archive, file):
            raise NameTaken(str(error)) from error
        where.remove(file.name)
        content.seek(0)
        where.put(file.name, content, metadata)


def put_text(where: Destination, archive: Marked, name: str, text: str) -> None:
    """Put a small file, read it back, and compare."""
    file = _text_file(name, text)
    put(where, archive, file, io.BytesIO(text.encode()))
    compare(where, [file])


def is_taken(where: Destination, archive: Archive) -> bool:
    """Whether another archive has the name: its manifest is there, whatever its formats are."""
    name = manifest_name(archive)
    return name in (each for each, _ in where.names(name))


def is_there(where: Destination, archive: Archive) -> bool:
    """Whether all of an archive is where it was put, by names and sizes; nothing is read."""
    if archive.place != where.title:
        return False
    there = dict(where.names(f"{archive.prefix}{archive.name}"))
    return all(there.get(file.name) == file.bytes for file in put_before(archive))


def put_before(archive: Archive) -> list[File]:
    """The files that earlier tries may have put, its manifest among them."""
    if not archive.manifest:
        return []
    manifest = _text_file(manifest_name(archive), archive.manifest)
    return [*read(archive.manifest).files, manifest]


def _text_file(name: str, text: str) -> File:
    body = text.encode()
    return File("", name, len(body), hashlib.sha256(body).hexdigest())


def compare(where: Destination, files: list[File], seen: Seen | None = None) -> None:
    """Read files back to their end; `ArchiveError` for the first that is not what was written.

    With `seen` it is given a copy of each, on this machine's disk.
    """
    for file in files:
        with tempfile.TemporaryFile() if seen else nullcontext() as copy:
            _compare(where, file, copy)
            if seen and copy:
                seen(file, copy)


def _compare(where: Destination, file: File, copy: BinaryIO | None) -> None:
    try:
        size, sha = fetch(where, file.name, copy)
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
        return fetch(where, file.name) == (file.bytes, file.sha256)
    except ObjectMissing:
        return False


def discard(where: Destination, archive: Marked, files: list[File]) -> None:
    """Remove the files that this archive has put; objects of others stay."""
    for file in files:
        try:
            if is_whole(where, file) or _is_own(where, archive, file):
                where.remove(file.name)
        except ObjectMissing:
            continue


def manifest_name(archive: Archive) -> str:
    return f"{archive.prefix}{archive.name}{SUFFIX}"


def _is_own(where: Destination, archive: Marked, file: File) -> bool:
    return where.metadata(file.name).get(MARK) == str(archive.mark)
