"""Have a table show the rows of an archive. The steps, each maybe the last before a crash:

noted     which objects make the next version, by their SHA-256, stored with the archive
put       these objects, the metadata last, over nothing that is there
compared  each read back to its end
hinted    the file by which readers without a catalogue find the version
advanced  the version is the table's and the archive is verified, in one transaction

A further try finds what is noted: whole, it is used; else it is removed, and made anew. So no rows
are shown twice, and none go that are not shown.
"""

import hashlib
import io
import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from django.db import transaction

from lifecycle.exceptions import LifecycleError
from purge.archive import storage
from purge.archive.destinations import Destination, ObjectChanged, ObjectMissing
from purge.archive.manifest import File, read
from purge.exceptions import ArchiveError, OtherSchema
from purge.iceberg import catalogue
from purge.iceberg.reach import reached
from purge.models import Archive, IcebergTable

if TYPE_CHECKING:
    from purge.iceberg.staging import Staged

HINT = "version-hint.text"
TRIES = 5  # of versions that others have put


class Committing(Protocol):
    """The row of what is to be shown: its mark, and what is noted of a version on its way."""

    mark: Any
    commit: str

    def save(self, *, using: str, update_fields: list[str]) -> None: ...


class Commit(NamedTuple):
    """A version on its way: which, its snapshot, its objects, the metadata last, and those that
    nobody needs once it is the table's."""

    version: int
    snapshot: int
    files: list[File]
    leaving: list[str]

    def as_json(self) -> str:
        return json.dumps(self._asdict() | {"files": [asdict(each) for each in self.files]})


def noted(archive: Committing) -> Commit | None:
    """What an earlier try was about to put."""
    if not archive.commit:
        return None
    told = json.loads(archive.commit)
    return Commit(**(told | {"files": [File(**each) for each in told["files"]]}))


def show(
    own: IcebergTable, where: Destination, archive: Archive, using: str,
    make: Callable[[int], "Staged"], finish: Callable[[], None],
) -> None:  # fmt: skip
    """Put the version that `make` gives for a number, and make it the table's.

    `finish` is called in the transaction in which that is so.
    """
    commit = _resumed(own, where, archive, using)
    if commit is None and _is_shown(own, where, archive):
        with transaction.atomic(using=using):
            archive.commit = ""
            finish()
        return
    commit = commit or put(own, where, archive, using, make)
    hint(own, where, commit.version)
    with transaction.atomic(using=using):
        catalogue.advance(own, commit.version, commit.files[-1].sha256, using, commit.leaving)
        archive.snapshot, archive.commit = commit.snapshot, ""
        finish()


def _resumed(own: IcebergTable, where: Destination, archive: Archive, using: str) -> Commit | None:
    """What an earlier try has put, where all of it is there and follows the table's version."""
    commit = noted(archive)
    if commit is None:
        return None
    if commit.version > own.version and all(storage.is_whole(where, f) for f in commit.files):
        return commit
    withdraw(own, where, archive, using)
    return None


def _is_shown(own: IcebergTable, where: Destination, archive: Archive) -> bool:
    """Whether the table shows the archive already: it was taken over from the place, where a backup
    knows less than was done."""
    shown = {(each.name, each.bytes) for each in reached(own, where).shown}
    files = {(each.name, each.bytes) for each in read(archive.manifest).files}
    return files <= shown


def withdraw(own: IcebergTable | None, where: Destination, archive: Committing, using: str) -> None:
    """Remove what an earlier try has put of a version that never was the table's."""
    commit = noted(archive)
    if commit is None:
        return
    if own is None or commit.version > own.version:
        storage.discard(where, archive, list(reversed(commit.files)))
    archive.commit = ""
    archive.save(using=using, update_fields=["commit"])


def put(
    own: IcebergTable, where: Destination, archive: Committing, using: str,
    make: Callable[[int], "Staged"],
) -> Commit:  # fmt: skip
    """Put the version that `make` gives for a number, noted before, and read it back."""
    for _ in range(TRIES):
        made = make(next_version(own, where))
        commit = Commit(
            made.version, made.snapshot, list(_described(made.objects)), sorted(made.leaving)
        )
        archive.commit = commit.as_json()
        archive.save(using=using, update_fields=["commit"])
        try:
            for file in commit.files:
                storage.put(where, archive, file, io.BytesIO(made.objects[file.name]))
        except storage.NameTaken:
            withdraw(own, where, archive, using)
            if not own.version:
                own.delete(using=using)
                raise OtherSchema(f"Others have begun a table in {own.folder} meanwhile.") from None
            continue
        storage.compare(where, commit.files)
        return commit
    raise ArchiveError(f"Others write into the table {own.name} in {where.title}.")


def _described(objects: dict[str, bytes]) -> Iterable[File]:
    for name, body in objects.items():
        yield File("", name, len(body), hashlib.sha256(body).hexdigest())


def next_version(own: IcebergTable, where: Destination) -> int:
    """The number after all that are there: what is not the table's is left as it is."""
    return max([own.version, *versions(own, where)]) + 1


def versions(own: IcebergTable, where: Destination) -> list[int]:
    """The versions of which there are metadata at the place, whoever has put them."""
    begins, found = f"{own.metadata}v", []
    for name, _ in where.names(begins):
        number = name.removeprefix(begins).partition(".")[0]
        is_number = number.isascii() and number.isdigit() and len(number) < 12
        if is_number and name == own.metadata_name(int(number)):
            found.append(int(number))
    return found


def hint(own: IcebergTable, where: Destination, version: int) -> None:
    """Say which version counts to readers that ask no catalogue."""
    name, body = f"{own.metadata}{HINT}", str(version).encode()
    before: bytes | None
    try:
        before = b"".join(where.read(name))
    except ObjectMissing:
        before = None
    if before == body:
        return
    with suppress(ObjectChanged):  # another worker's, whose version is put as carefully
        where.replace(name, body, before)


def tidy(own: IcebergTable, where: Destination, using: str) -> None:
    """Remove the objects that no version needs any more.

    What cannot be removed now is tried again after the next version.
    """
    with suppress(LifecycleError):
        for name in own.leaving:
            where.remove(name)
        own.leaving = []
        own.save(using=using, update_fields=["leaving"])
