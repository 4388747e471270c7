"""Which names may be deleted at all, and which a host adds."""

import os
import posixpath
import re
from collections.abc import Iterable
from typing import Any

from django.db.models import FileField

from lifecycle.conf import conf
from lifecycle.policy.databases import served
from lifecycle.policy.registry import all_policies
from lifecycle.signals import media_manifest
from purge.media.stores.base import Store
from purge.models import Archive

BAD = "BadName"
PROTECTED = "ArchivePrefix"
UNSENT = re.compile(r"[\x01-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")  # which XML cannot hold


def refused(store: Store, names: Iterable[str]) -> dict[str, str]:
    """Of some names those that must not be deleted, each with the code why."""
    archives = archive_prefixes(store.root[0])
    return {name: why for name in names if (why := _why_not(store, name, archives))}


def _why_not(store: Store, name: str, archives: list[str]) -> str:
    """The code of a name that must not be deleted; '' for one that may be.

    A name is a path below the storage's location, in its plain form: not empty, not absolute, no
    `..`, no `.`, nothing twice; and it never reaches an archive.
    """
    plain = posixpath.normpath(name)  # of nothing: "."
    if name != plain or name in (".", "..") or name.startswith(("/", "../")) or "\0" in name:
        return BAD
    if "\\" in name and store.root[0] != "other":
        return BAD  # the storage reads it as a slash
    if store.root[0] == "bucket" and UNSENT.search(name):
        return BAD  # one of them makes a store refuse the whole request
    return PROTECTED if store.path(name).startswith(tuple(archives)) else ""


def archive_prefixes(kind: str) -> list[str]:
    """Where archives are: below which keys of a bucket, or below which folder.

    Those that policies declare, and those that were made, for policies that are gone too.
    """
    if kind == "folder":
        folder = conf.ARCHIVE_DIR
        return [os.path.join(os.path.realpath(folder), "")] if folder else []
    if kind != "bucket":
        return []
    found = {getattr(policy.disposition, "prefix", "") for policy in all_policies()}
    for using in served():
        found |= set(Archive.objects.using(using).values_list("prefix", flat=True).distinct())
    return sorted(found - {""})


def derived(field: FileField, names: Iterable[str]) -> set[str]:
    """Further names that receivers of `media_manifest` know of: thumbnails, other sizes.

    Raises what a receiver raises: without its names something would be left behind.
    """
    model: Any = field.model
    found: set[str] = set()
    for _, more in media_manifest.send(model, field=field.name, names=sorted(names)):
        found |= set(more or ())
    return found
