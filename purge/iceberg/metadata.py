"""The metadata of a table, read from the place of archives.

They count only as they were written: the catalogue has their SHA-256. Needs pyiceberg.
"""

import hashlib

from django.core.exceptions import ImproperlyConfigured

try:
    from pyiceberg.table.metadata import TableMetadata, TableMetadataUtil
except ImportError as error:
    raise ImproperlyConfigured(
        "Archives as tables need pyiceberg: pip install django-tombstone[iceberg]"
    ) from error

from purge.archive.destinations import Destination, ObjectMissing
from purge.exceptions import ArchiveError
from purge.iceberg.catalogue import translated
from purge.iceberg.objects import Objects
from purge.models import IcebergTable


def loaded(own: IcebergTable, where: Destination) -> TableMetadata | None:
    """The table's metadata as they were written; None where there is no version yet."""
    if not own.version:
        return None
    name = own.metadata_name()
    try:
        body = Objects(where).read(name)
    except ObjectMissing as error:
        raise ArchiveError(f"The table {own.name} cannot be read: {error}") from error
    if hashlib.sha256(body).hexdigest() != own.sha256:
        raise ArchiveError(f"{name} in {where.title} is not what was written: another SHA-256.")
    return parsed(body, own)


def parsed(body: bytes, own: IcebergTable) -> TableMetadata:
    """Metadata from their text; `ArchiveError` where they are of no table, or of another one."""
    with translated(own):
        metadata = TableMetadataUtil.parse_raw(body.decode())
    if metadata.location != own.location:
        raise ArchiveError(f"The metadata of {own.name} are those of another table.")
    return metadata
