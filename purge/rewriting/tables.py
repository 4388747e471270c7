"""Archives that a table shows: rewritten as those that are files, and shown by another version.

That version has the new files in the place of the old ones, and no former snapshot: it is put
before the switch, counts with it, and what only the versions before needed goes with the old files.
An archive that no table shows, from before the policy had one, is as any other.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from purge.archive.form import Prepared
from purge.archive.formats import FORMATS
from purge.archive.manifest import SUFFIX, Manifest
from purge.archive.manifest_shape import MONTHLY
from purge.exceptions import ArchiveError
from purge.iceberg import catalogue, commit
from purge.iceberg.rejoin import rejoin
from purge.iceberg.table import Footers
from purge.models import Archive, IcebergTable, Rewrite
from purge.rewriting.files import FileArchives
from purge.rewriting.find import Finder, names_of


@dataclass(frozen=True)
class TableFinder(Finder):
    """Looks into the folders of the policy's tables as well."""

    def prefixes(self, name: str) -> list[str]:
        tables = IcebergTable.objects.using(self.using).filter(place=self.where.title)
        own = tables.filter(policy__in=names_of(self.policy, self.using)).order_by("-pk")
        return list(dict.fromkeys([*super().prefixes(name), *(each.data for each in own)]))

    def objects(self, name: str) -> list[str]:
        there = [
            each
            for prefix in self.prefixes(name)
            for each, _ in self.where.names(f"{prefix}{name}.")
        ]
        there.sort(key=lambda each: not each.endswith(SUFFIX))  # which leads readers
        return list(dict.fromkeys([*there, *super().objects(name)]))


@dataclass(frozen=True)
class TableArchives(FileArchives):
    """The archives of a policy, of which a table shows some."""

    @property
    def finder(self) -> TableFinder:
        return TableFinder(self.policy, self.using, self.where)

    def _shown(self, rewrite: Rewrite, old: Manifest, new: Manifest | None) -> list[str]:
        if not is_monthly(old):
            return []
        own = self._table(rewrite)
        leaving: set[str] = set()

        def make(version: int) -> Any:
            from purge.iceberg.staging import with_others

            made = with_others(
                own, self.where, old.files, self._footers(new), rewrite.name, version
            )
            leaving.update(made.leaving)
            return made._replace(leaving=set())

        commit.put(own, self.where, rewrite, self.using, make)
        rewrite.old = [*rewrite.old, *sorted({*leaving, *own.leaving})]
        rewrite.save(using=self.using, update_fields=["old"])
        return sorted(leaving)

    def _table(self, rewrite: Rewrite) -> IcebergTable:
        """The table that shows the archive, as its place has it."""
        if missing := FORMATS[MONTHLY].missing:
            raise ArchiveError(f"The archives of {self.policy.name} are a table: {missing}")
        tables = IcebergTable.objects.using(self.using).filter(place=self.where.title)
        for own in tables:
            if own.data == rewrite.prefix:
                rejoin(own, self.where, self.using)
                return own
        raise ArchiveError(f"No table is known that shows {rewrite.archive}.")

    def _footers(self, new: Manifest | None) -> list[Any]:
        if new is None:
            return []
        footers = Footers(new)
        for file, copy in self._copies(new.files):
            footers(file, copy)
        return footers.found

    def switch(self, prepared: Prepared, rewrite: Rewrite) -> None:
        super().switch(prepared, rewrite)
        if (made := commit.noted(rewrite)) is not None:
            own = self._own(rewrite)
            catalogue.advance(own, made.version, made.files[-1].sha256, self.using)
            own.previous = 0  # of which nothing is to be left
            own.save(using=self.using, update_fields=["previous"])
            rewrite.commit = ""
            archives = Archive.objects.using(self.using).filter(name=prepared.name)
            archives.exclude(name="").update(snapshot=made.snapshot)

    def _own(self, rewrite: Rewrite) -> IcebergTable:
        folder = rewrite.prefix.removesuffix("data/")
        return IcebergTable.objects.using(self.using).get(place=rewrite.place, folder=folder)

    def sweep(self, rewrite: Rewrite) -> None:
        for own in self._shows(rewrite):
            rejoin(own, self.where, self.using)
            commit.hint(own, self.where, own.version)
        super().sweep(rewrite)

    def _shows(self, rewrite: Rewrite) -> Iterator[IcebergTable]:
        tables = IcebergTable.objects.using(self.using).filter(place=self.where.title)
        return (own for own in tables if own.data == rewrite.prefix and own.version)

    def discard(self, rewrite: Rewrite) -> None:
        own = next(self._shows(rewrite), None)
        commit.withdraw(own, self.where, rewrite, self.using)
        super().discard(rewrite)


def is_monthly(manifest: Manifest) -> bool:
    """Whether an archive has a file for each month, which a table shows."""
    return all(file.format == MONTHLY for file in manifest.files)
