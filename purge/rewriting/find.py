"""The archives of a policy that are files: which there are, and where each is."""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property

from django.apps import apps

from lifecycle.compiler.keys import label_of
from lifecycle.db.connection import fetch
from lifecycle.exceptions import LifecycleError
from lifecycle.policy.policy import Policy
from purge.archive.catalog import manifest_at
from purge.archive.destinations import Destination, ObjectMissing
from purge.archive.formats import FORMATS
from purge.archive.manifest import SUFFIX, Manifest
from purge.archive.records import Lost, Record, Unknown, known, lost, records
from purge.models import Archive

AGAIN = re.compile(r"_r\d+$")
MAKING = (Archive.State.CHOSEN, Archive.State.WRITTEN)
SUFFIXES = (SUFFIX, *dict.fromkeys(each.suffix for each in FORMATS.values()))


def names_of(policy: Policy, using: str) -> list[str]:
    """A policy's name, and those that it had before."""
    found = fetch(using, "SELECT lifecycle.names_v1(%(policy)s)", {"policy": policy.name})
    return [name for (name,) in found]


@dataclass(frozen=True)
class Found:
    """An archive in force: its manifest, as the ledger knows it, and the prefix of its objects."""

    manifest: Manifest
    prefix: str


@dataclass(frozen=True)
class Finder:
    """Looks for the archives of one policy; `LifecycleError` where one is not as it must be."""

    policy: Policy
    using: str
    where: Destination
    also: str = ""  # a prefix that is known from elsewhere

    def names(self) -> list[str]:
        """Those in force, by their names."""
        own = Archive.objects.using(self.using).filter(policy__in=self._policies)
        if making := own.filter(state__in=MAKING).exclude(name="").first():
            raise LifecycleError(f"{making.name} is being made.")
        found = (each for known_by in records([self.using]).values() for each in known_by)
        return sorted({e.name for e in found if not (e.replaced or e.lost) and self._is_own(e)})

    def lost(self) -> dict[str, Lost]:
        """Those that a person has declared lost, by their names."""
        own = (each for each, _ in lost([self.using]) if self._is_own(each))
        return {each.archive: each for each in own}

    def _is_own(self, of: Record | Lost) -> bool:
        """Whether an archive is the policy's, whose model may have another name by now."""
        is_of_model = of.model == label_of(self.policy) or not _is_installed(of.model)
        return is_of_model and of.policy in self._policies

    @cached_property
    def _policies(self) -> list[str]:
        return names_of(self.policy, self.using)

    def archive(self, name: str) -> Found | None:
        """An archive that is there as the ledger knows it; None where nothing is left of it."""
        own = records([self.using], [name]).get(name, [])
        for prefix in self.prefixes(name):
            with suppress(ObjectMissing):
                manifest = manifest_at(self.where, f"{prefix}{name}{SUFFIX}")
                _refuse_unknown(manifest, own)
                return Found(manifest, prefix)
        if left := next(self.left(name), None):
            raise LifecycleError(f"{left} is in {self.where.title}, and no manifest of it.")
        place = Archive.objects.using(self.using).filter(name=name).values_list("place", flat=True)
        if others := [each for each in place if each and each != self.where.title]:
            raise LifecycleError(f"{name} is in {others[0]}, and not in {self.where.title}.")
        return None

    def is_there(self, name: str) -> bool:
        """Whether anything is kept of an archive, in whatever version, or of one that stands for
        it."""
        prefixes = self.prefixes(name)
        if not prefixes:
            raise LifecycleError(f"Nobody knows where {name} was put.")
        kept = any(self.where.kept(f"{prefix}{name}.") for prefix in prefixes)
        return kept or self.successor(name) is not None

    def prefixes(self, name: str) -> list[str]:
        """Where an archive may be: where it was put, and where the policy puts archives now."""
        rows = Archive.objects.using(self.using).filter(name=name)
        now = getattr(self.policy.disposition, "prefix", "")
        return list(
            dict.fromkeys(filter(None, [self.also, *rows.values_list("prefix", flat=True), now]))
        )

    def left(self, name: str) -> Iterator[str]:
        """The objects that there may be of an archive, of which something is kept."""
        return (each for each in self.objects(name) if self.where.keeps(each))

    def objects(self, name: str) -> list[str]:
        """The objects that there may be of an archive: its manifest first, which leads readers."""
        prefixes = self.prefixes(name)
        return [f"{prefix}{name}{suffix}" for prefix in prefixes for suffix in SUFFIXES]

    def successor(self, name: str) -> Found | None:
        """The archive whose manifest says that it stands for one, or for one that did; of several,
        the latest."""
        own = [each.sha256 for each in records([self.using], [name]).get(name, [])]
        found, wanted, latest = None, {(name, sha) for sha in own if sha}, 0
        for prefix in self.prefixes(name):
            for each, _ in self.where.names(f"{prefix}{AGAIN.sub('', name)}_r"):
                if each.endswith(SUFFIX):
                    manifest = manifest_at(self.where, each)
                    number = int((AGAIN.search(manifest.name) or ["_r0"])[0][2:])
                    is_one = manifest.replaces and wanted & set(manifest.replaces.all)
                    if is_one and number > latest:
                        found, latest = Found(manifest, prefix), number
        return found


def _is_installed(label: str) -> bool:
    try:
        return bool(apps.get_model(label))
    except (LookupError, ValueError):
        return False


def _refuse_unknown(manifest: Manifest, own: list[Record]) -> None:
    try:
        known(manifest, own)
    except Unknown as error:
        raise LifecycleError(f"The manifest of {manifest.name} {error}.") from error
