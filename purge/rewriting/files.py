"""Archives that are files: one is written again without some rows, under a name of its own.

find      the manifest that the ledger knows; each file has to be as that says
look      the file's rows, one by one: the places of those that are wanted
write     each file again but for those rows
put       under a new name, that is stored before
compare   read back, row for row with the old file less the rows that go
switch    by the caller: from then on the new manifest counts
sweep     the old objects go, with every version
"""

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any, BinaryIO

from lifecycle.db.connection import scalar
from lifecycle.exceptions import LifecycleError
from lifecycle.policy.policy import Policy
from purge.archive import storage
from purge.archive.destinations import ArchiveBucket, Destination, fetch
from purge.archive.form import Prepared, Wanted
from purge.archive.formats.without import copy_without, rows_as_stored
from purge.archive.loading.load import readable
from purge.archive.manifest import SUFFIX, File, Manifest, Replaced
from purge.archive.manifest_shape import BEFORE
from purge.archive.records import Lost, records
from purge.archive.rewritten import rewritten_by
from purge.archive.table import Table
from purge.archive.verify import has_to_be_there, verify
from purge.archiving.write import Counted, counted
from purge.exceptions import ArchiveError
from purge.models import Archive, Rewrite
from purge.rewriting.find import AGAIN, Finder, Found
from purge.rewriting.looked import Looked, look
from purge.rewriting.sealed import is_sealed, sealed

MOST = 10_000  # times that one archive is rewritten


@dataclass(frozen=True)
class FileArchives:
    """The archives of a policy in one database, at a destination that checks the lock."""

    policy: Policy
    using: str
    where: Destination

    @property
    def finder(self) -> Finder:
        return Finder(self.policy, self.using, self.where)

    def names(self) -> list[str]:
        return self.finder.names()

    def reach(self, name: str) -> None:
        for prefix in self.finder.prefixes(name)[:1]:
            next(iter(self.where.names(f"{prefix}{name}.")), None)

    def lost(self) -> dict[str, Lost]:
        return self.finder.lost()

    def is_there(self, name: str) -> bool:
        return self.finder.is_there(name)

    def keys(self, name: str, wanted: Wanted) -> Iterator[str]:
        found = self.finder.archive(name) or self.finder.successor(name)
        if found is None:
            self._refuse_missing(name)
        else:
            yield from self._look(found, wanted).keys

    def prepare(self, rewrite: Rewrite, wanted: Wanted) -> Prepared | None:
        found = self.finder.archive(rewrite.archive)
        if found is None:
            return self._found_again(rewrite, wanted)
        looked = self._look(found, wanted)
        if not looked.keys:
            return None
        old = [f"{found.prefix}{found.manifest.name}{SUFFIX}"]
        old += [file.name for file in found.manifest.files]
        rewrite.prefix, rewrite.place, rewrite.old = found.prefix, self.where.title, old
        rewrite.name = self._free_name(found) if looked.left else ""
        rewrite.save(using=self.using)
        return self._prepared(rewrite, found, looked, old)

    def _refuse_missing(self, name: str) -> None:
        """`ArchiveError` where rows have gone into an archive: who is in it cannot be known."""
        own = records([self.using], [name]).get(name, [])
        if any(map(has_to_be_there, own)):
            raise ArchiveError(f"{name} is not in {self.where.title}, and the ledger has it.")

    def _look(self, found: Found, wanted: Wanted) -> Looked:
        copies = self._copies(readable(found.manifest))
        return look(found.manifest, copies, wanted, Table(self.policy, self.using))

    def _copies(self, files: list[File]) -> Iterator[tuple[File, BinaryIO]]:
        for file in files:
            with self._copy(file) as copy:
                yield file, copy

    def _prepared(self, rewrite: Rewrite, found: Found, looked: Looked, old: list[str]) -> Prepared:
        manifest: Manifest | None = None
        if looked.left:
            given = [(file, looked.parts.get(file.name, looked)) for file in found.manifest.files]
            files = [self._file(rewrite, found, file, own) for file, own in given if own.left]
            manifest = sealed(self._manifest(rewrite, found.manifest, files, looked))
            name = f"{found.prefix}{rewrite.name}{SUFFIX}"
            storage.put_text(self.where, rewrite, name, manifest.as_json())
        text = manifest.as_json() if manifest else ""
        old += self._shown(rewrite, found.manifest, manifest)
        return Prepared(
            archive=rewrite.archive, name=rewrite.name, replaces=found.manifest.sha256,
            manifest=hashlib.sha256(text.encode()).hexdigest() if text else "",
            rows=looked.left, keys=looked.keys, old=old, body=text,
        )  # fmt: skip

    def _file(self, rewrite: Rewrite, found: Found, file: File, looked: Looked) -> File:
        """One file without the rows, put, read back, and compared."""
        columns = found.manifest.columns
        own = file.name.rpartition("/")[2].removeprefix(found.manifest.name)  # with its month
        name = f"{found.prefix}{rewrite.name}{own}"
        with self._copy(file) as old:
            with counted() as made:
                copy_without(file.format, columns, old, looked.places, _writable(made))
                made.flush()
                new = File(file.format, name, made.bytes, made.sha.hexdigest())
                storage.put(self.where, rewrite, new, made.file)
            with self._copy(new) as back:
                _compare(found.manifest, file.format, old, back, looked)
        return new

    def _shown(self, rewrite: Rewrite, old: Manifest, new: Manifest | None) -> list[str]:
        """What has to go beside the old files, so that readers find the new ones: nothing."""
        return []

    @contextmanager
    def _copy(self, file: File) -> Iterator[BinaryIO]:
        """An object on this machine's disk; `ArchiveError` where it is not what it has to be."""
        with tempfile.TemporaryFile(prefix="archive-") as copy:
            if fetch(self.where, file.name, copy, file.bytes) != (file.bytes, file.sha256):
                raise ArchiveError(f"{file.name} in {self.where.title} is not what was written.")
            yield copy

    def _manifest(
        self, rewrite: Rewrite, old: Manifest, files: list[File], looked: Looked
    ) -> Manifest:
        made = scalar(self.using, "SELECT lifecycle.now_v1()")
        before = (
            [{"name": n, "manifest": sha} for n, sha in old.replaces.all] if old.replaces else []
        )
        replaced = Replaced(old.name, old.sha256, len(looked.keys), before=before[:BEFORE])
        return replace(
            old, name=rewrite.name, rows=looked.left, files=files, version=2, replaces=replaced,
            first=looked.first, last=looked.last, made=f"{made:%Y-%m-%dT%H:%M:%S+00:00}",
        )  # fmt: skip

    def _free_name(self, found: Found) -> str:
        base = AGAIN.sub("", found.manifest.name)
        for number in range(1, MOST):
            name = f"{base}_r{number}"
            is_there = next(iter(self.where.names(f"{found.prefix}{name}.")), None)
            if not is_there and not rewritten_by(name, self.using):
                return name
        raise ArchiveError(f"{base} was rewritten too often.")

    def _found_again(self, rewrite: Rewrite, wanted: Wanted) -> Prepared | None:
        """The archive that stands in the place of one which is gone: a restored ledger does not
        know it. None where there is none, of an archive that no row has gone into."""
        new = self.finder.successor(rewrite.archive)
        if new is None:
            self._refuse_missing(rewrite.archive)
            return None
        if not is_sealed(new.manifest):
            raise ArchiveError(
                f"{rewrite.archive} is not there any more. {new.manifest.name} says that it stands"
                " for it, and this site has not signed that."
            )
        if problems := verify(self.where, new.manifest):
            raise ArchiveError(f"{problems[0].name} {problems[0].why}.")
        if self._look(new, wanted).keys:
            raise ArchiveError(f"{new.manifest.name} is not known to the ledger, and has rows.")
        rewrite.prefix, rewrite.place = new.prefix, self.where.title
        formers = dict(new.manifest.replaces.all if new.manifest.replaces else [])
        former = formers.pop(rewrite.archive)
        rewrite.name = new.manifest.name
        rewrite.old = [name for each in formers for name in self.finder.left(each)]
        return Prepared(
            archive=rewrite.archive, name=new.manifest.name, manifest=new.manifest.sha256,
            replaces=former, rows=new.manifest.rows, keys=[], old=rewrite.old, found=True,
            body=new.manifest.as_json(),
        )  # fmt: skip

    def switch(self, prepared: Prepared, rewrite: Rewrite) -> None:
        """The database's own copy of the manifest; rows of the old one that are still in their
        table are in no archive now, and go into a further one first."""
        rows = Archive.objects.using(self.using)
        own = rows.select_for_update().filter(name=rewrite.archive).first()
        own = own or Archive(policy=rewrite.policy, model=rewrite.model)
        own.name, own.manifest = prepared.name, str(prepared.body)
        own.state, own.rows = Archive.State.DONE, prepared.rows
        own.prefix, own.place = rewrite.prefix, rewrite.place
        own.save(using=self.using)
        own.parts.all()._raw_delete(self.using)

    def sweep(self, rewrite: Rewrite) -> None:
        if rewrite.place and rewrite.place != self.where.title:
            raise LifecycleError(f"It is in {rewrite.place}, and not in {self.where.title}.")
        finder = replace(self.finder, also=rewrite.prefix)
        for name in dict.fromkeys([*rewrite.old, *finder.objects(rewrite.archive)]):
            self.where.erase(name)

    def discard(self, rewrite: Rewrite) -> None:
        for name in self._put(rewrite):
            if self._is_own(name, rewrite):
                self.where.erase(name)

    def _put(self, rewrite: Rewrite) -> list[str]:
        there = self.where.names(f"{rewrite.prefix}{rewrite.name}.") if rewrite.name else ()
        return [name for name, _ in there]

    def _is_own(self, name: str, rewrite: Rewrite) -> bool:
        """A folder keeps no metadata; nothing had the name when it was stored."""
        told = self.where.metadata(name).get(storage.MARK)
        where = getattr(self.where, "where", self.where)
        return told == str(rewrite.mark) if isinstance(where, ArchiveBucket) else True


def _writable(file: Counted) -> BinaryIO:
    return file  # type: ignore[return-value]


def _compare(manifest: Manifest, form: str, old: BinaryIO, new: BinaryIO, looked: Looked) -> None:
    """`ArchiveError` where the new file has not just the rows of the old one that stay."""
    rows = (rows_as_stored(form, manifest.columns, each) for each in (old, new))
    same = _are_same(_stay(next(rows), looked), next(rows))
    if not same:
        raise ArchiveError(f"{manifest.name}: the {form} file does not have the rows that stay.")


def _stay(rows: Iterator[Any], looked: Looked) -> Iterator[Any]:
    return (row for at, row in enumerate(rows) if at not in looked.places)


def _are_same(one: Iterator[Any], other: Iterator[Any]) -> bool:
    return all(a == b for a, b in zip_longest(one, other))
