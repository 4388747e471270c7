"""A table whose place has later versions than the catalogue: a backup of the database was restored.

A later version is the table's again where the ledger knows all that it shows, because what was
published has been put back into it, and it shows all that the table had; or, where the catalogue's
own metadata are gone since, all that the ledger knows. Of others nothing is believed: they are left
as they are, and the next version gets a number after theirs.
"""

import hashlib
from contextlib import suppress
from typing import Any

from django.db import transaction

from lifecycle.exceptions import LifecycleError
from purge.archive.catalog import bare, manifest_at
from purge.archive.destinations import Destination, ObjectMissing
from purge.archive.manifest import SUFFIX
from purge.archive.records import known, records
from purge.exceptions import ArchiveError
from purge.iceberg.catalogue import advance
from purge.iceberg.commit import hint, versions
from purge.iceberg.reach import Shown, reached_by
from purge.models import IcebergTable


def rejoin(own: IcebergTable, where: Destination, using: str) -> bool:
    """Make the latest version that the ledger knows the table's; whether there is one."""
    for version in sorted(versions(own, where), reverse=True):
        if version <= own.version:
            return False
        if sha256 := _believed(own, where, version, using):
            with transaction.atomic(using=using):
                if own.pk is None:
                    own.save(using=using)
                advance(own, version, sha256, using)
            hint(own, where, version)
            return True
    return False


def _believed(own: IcebergTable, where: Destination, version: int, using: str) -> str:
    """The SHA-256 of the metadata of a version that may be the table's; '' for another."""
    from purge.iceberg.metadata import parsed
    from purge.iceberg.objects import Objects

    objects = Objects(where)
    try:
        body = objects.read(own.metadata_name(version))
        metadata = parsed(body, own)
        shown = reached_by(own, metadata, objects).shown
        refuse_unknown(own, where, shown, using)
        if own.version:
            _refuse_fewer(own, where, metadata, shown, using)
    except LifecycleError:
        return ""
    return hashlib.sha256(body).hexdigest() if shown else ""


def _refuse_fewer(
    own: IcebergTable, where: Destination, metadata: Any, shown: list[Shown], using: str
) -> None:
    """Raise a `LifecycleError` for a version that is not made of the table's, or lacks rows."""
    from purge.iceberg.metadata import loaded
    from purge.iceberg.objects import Objects

    try:
        base = loaded(own, where)
    except LifecycleError:  # removed by a version that the backup does not know
        expected = _recorded(own, where, using)
    else:
        if base is None or metadata.table_uuid != base.table_uuid:
            raise ArchiveError("It is another table.")
        expected = {each.name for each in reached_by(own, base, Objects(where)).shown}
    if expected - {each.name for each in shown}:
        raise ArchiveError("It lacks rows that the table has.")


def _recorded(own: IcebergTable, where: Destination, using: str) -> set[str]:
    """The data files of all archives of the table that the database knows."""
    expected: set[str] = set()
    for name, known_by in records([using]).items():
        if any(each.policy == own.policy and not each.replaced for each in known_by):
            with suppress(ObjectMissing):
                manifest = manifest_at(where, f"{own.data}{name}{SUFFIX}")
                expected |= {file.name for file in manifest.files}
    return expected


def refuse_unknown(own: IcebergTable, where: Destination, shown: list[Shown], using: str) -> None:
    """Raise a `LifecycleError` where a data file is of no archive that the ledger knows, or of one
    that has no such file."""
    names = {bare(each.name) for each in shown}
    recorded = records([using], sorted(names))
    sizes: dict[str, int] = {}
    for name in names:
        manifest = manifest_at(where, f"{own.data}{name}{SUFFIX}")
        known(manifest, [each for each in recorded.get(name, []) if each.has_ended])
        sizes |= {file.name: file.bytes for file in manifest.files}
    for each in shown:
        if sizes.get(each.name) != each.bytes:
            raise ArchiveError(f"{each.name} is no file of an archive that the ledger knows.")
