"""The next version of a table, made in memory: metadata, and what they need. Needs pyiceberg."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.core.exceptions import ImproperlyConfigured

try:
    from pyiceberg.catalog.noop import NoopCatalog
    from pyiceberg.manifest import DataFile
    from pyiceberg.serializers import ToOutputFile
    from pyiceberg.table import CommitTableResponse
    from pyiceberg.table import Table as PyTable
    from pyiceberg.table.metadata import TableMetadata, new_table_metadata
    from pyiceberg.table.sorting import UNSORTED_SORT_ORDER
    from pyiceberg.table.update import SetDefaultSpecUpdate, update_table_metadata
    from pyiceberg.table.update.snapshot import ExpireSnapshots
except ImportError as error:
    raise ImproperlyConfigured(
        "Archives as tables need pyiceberg: pip install django-tombstone[iceberg]"
    ) from error

from purge.archive.destinations import Destination
from purge.archive.formats.base import Column
from purge.archive.manifest import File
from purge.exceptions import ArchiveError, OtherSchema
from purge.iceberg.catalogue import translated
from purge.iceberg.data_files import Written, data_file, field_numbers, month_in, tell
from purge.iceberg.metadata import loaded
from purge.iceberg.objects import Objects
from purge.iceberg.reach import reached_by
from purge.iceberg.schema import evolve, first_schema, first_spec, numbers
from purge.models import IcebergTable

SHOWN_FOR = timedelta(days=1)  # how long readers find a former snapshot
MOST = 20  # snapshots, also where more were made in that time
OWNER = "lifecycle.archive"  # the property of a snapshot that names the archive it shows
PROPERTIES = {
    "format-version": "2",
    "commit.manifest-merge.enabled": "true",
    "write.metadata.previous-versions-max": "20",
    "write.parquet.compression-codec": "zstd",
    # A column's least and greatest values stand in no file of metadata, but for those below.
    "write.metadata.metrics.default": "counts",
}


class Shape(NamedTuple):
    """What rows a table is to have: their columns, the one whose months part them, and those whose
    least and greatest values may be told."""

    columns: Sequence[Column]
    month_of: str | None
    told: Sequence[str]


class Staged(NamedTuple):
    """A version that can be put: its objects by name, the metadata last, and its snapshot.

    `leaving` are the objects that the version before needs, and this one does not.
    """

    version: int
    snapshot: int
    objects: dict[str, bytes]
    leaving: set[str]


class _Staging(NoopCatalog):
    """Takes what pyiceberg commits as the next version of a table."""

    def commit_table(self, table: Any, requirements: Any, updates: Any) -> CommitTableResponse:
        for requirement in requirements:
            requirement.validate(table.metadata)
        before = table.metadata_location or None
        made = update_table_metadata(table.metadata, updates, metadata_location=before)
        told: dict[str, Any] = {"metadata": made, "metadata-location": before or ""}
        return CommitTableResponse(**told)


def fitting(own: IcebergTable, where: Destination, shape: Shape) -> dict[str, int]:
    """The numbers of the fields that rows of this shape are written with."""
    base = loaded(own, where)
    if base is None:
        return numbers(_begun(own, shape), shape.columns)
    with translated(own):
        transaction = _opened(own, base, Objects(where)).transaction()
        evolve(transaction, shape.columns, shape.month_of)
        return numbers(transaction.table_metadata, shape.columns)


def with_files(
    own: IcebergTable, where: Destination, shape: Shape, archive: str,
    files: Iterable[Written], now: datetime, version: int,
) -> Staged:  # fmt: skip
    """The version that shows the files of an archive beside those that the table has.

    Raises `ArchiveError` where they were written for another schema than the table's is now.
    """
    objects = Objects(where)
    base = loaded(own, where)
    table = _opened(own, base or _begun(own, shape), objects)
    with translated(own), table.transaction() as transaction:
        if base is not None:
            evolve(transaction, shape.columns, shape.month_of)
        tell(transaction, shape.told)
        update = transaction.update_snapshot(snapshot_properties={OWNER: archive})
        with update.merge_append() as append:
            for each in files:
                _refuse_other(each, transaction.table_metadata, shape)
                append.append_data_file(data_file(each, transaction.table_metadata, None, where))
        expire(transaction, append.snapshot_id, now - SHOWN_FOR)
    return staged(own, base, table, objects, version)


def with_others(
    own: IcebergTable, where: Destination, old: Iterable[File], new: Iterable[Written],
    archive: str, version: int,
) -> Staged:  # fmt: skip
    """The version that shows the files of a rewritten archive in the place of the old one's.

    It has no former snapshot and no former metadata: what is needed by those alone is `leaving`.
    """
    table, objects = opened(own, where)
    base = table.metadata
    former = {where.url(each.name): None for each in old}
    shown = {each.file.file_path: each.file for each in table.scan().plan_files()}
    with translated(own), table.transaction() as transaction:
        files = [shown[path] for path in former if path in shown]
        if len(files) < len(former):
            raise ArchiveError(f"The table {own.name} does not show all of an archive's files.")
        _replace(transaction, files, list(new), where, archive)
        newest = transaction.table_metadata.current_snapshot_id
        expire(transaction, newest, datetime.max.replace(tzinfo=UTC))
    table.metadata = table.metadata.model_copy(update={"metadata_log": []})
    return staged(own, base, table, objects, version)


def _replace(
    transaction: Any, old: list[DataFile], new: list[Written], where: Destination, archive: str
) -> None:
    """Take files out, and others in that are of the same months, parted as those were."""
    now, then = transaction.table_metadata.default_spec_id, old[0].spec_id
    if now != then:
        transaction._apply((_default(then),))
    months = {month_in(each.file_path): each for each in old}
    properties = {OWNER: archive} if archive else {}
    with transaction.update_snapshot(snapshot_properties=properties).overwrite() as update:
        for file in old:
            update.delete_data_file(file)
        for each in new:
            like = months[each.month]
            update.append_data_file(data_file(each, transaction.table_metadata, like, where))
    if now != then:
        transaction._apply((_default(now),))


def _default(spec: int) -> SetDefaultSpecUpdate:
    told: dict[str, Any] = {"spec-id": spec}
    return SetDefaultSpecUpdate(**told)


def staged(
    own: IcebergTable, base: TableMetadata | None, table: Any, objects: Objects, version: int
) -> Staged:
    """A version from what pyiceberg has made of a table that was at `base`."""
    made, name = table.metadata, own.metadata_name(version)
    ToOutputFile.table_metadata(made, objects.new_output(objects.where.url(name)))
    leaving = _leaving(own, base, made, objects) if base else set()
    newest = made.current_snapshot()
    needed = {name, objects.name_of(newest.manifest_list)}
    needed |= {objects.name_of(each.manifest_path) for each in newest.manifests(objects)}
    # One whose entries were merged into another's is written, and not needed.
    put = {each: body for each, body in objects.staged.items() if each in needed}
    return Staged(version, newest.snapshot_id, put, leaving)


def _leaving(
    own: IcebergTable, base: TableMetadata, made: TableMetadata, objects: Objects
) -> set[str]:
    before, after = ({each.metadata_file for each in m.metadata_log} for m in (base, made))
    before.add(objects.where.url(own.metadata_name()))
    left = {objects.name_of(each) for each in before - after}
    if {each.snapshot_id for each in base.snapshots} - {
        each.snapshot_id for each in made.snapshots
    }:
        before, after = (
            reached_by(own, one, objects, files=False).metadata for one in (base, made)
        )
        left |= before - after
    return left


def opened(own: IcebergTable, where: Destination) -> tuple[Any, Objects]:
    """The table as pyiceberg has it, and what it reads and writes by."""
    base, objects = loaded(own, where), Objects(where)
    if base is None:
        raise ArchiveError(f"The table {own.name} has no rows yet.")
    return _opened(own, base, objects), objects


def expire(transaction: Any, newest: int, before: datetime) -> None:
    """Have former snapshots go that were made before a time, or are too many; not the newest."""
    former = [s for s in transaction.table_metadata.snapshots if s.snapshot_id != newest]
    former.sort(key=lambda each: each.sequence_number or 0, reverse=True)
    least = before.timestamp() * 1000
    old = [s.snapshot_id for n, s in enumerate(former, 2) if s.timestamp_ms < least or n > MOST]
    if old:
        ExpireSnapshots(transaction).by_ids(old).commit()


def _begun(own: IcebergTable, shape: Shape) -> TableMetadata:
    schema = first_schema(shape.columns)
    spec = first_spec(schema, shape.month_of)
    return new_table_metadata(schema, spec, UNSORTED_SORT_ORDER, own.location, dict(PROPERTIES))


def _opened(own: IcebergTable, metadata: TableMetadata, objects: Objects) -> PyTable:
    at = objects.where.url(own.metadata_name()) if own.version else ""
    return PyTable((own.policy,), metadata, at, objects, _Staging("lifecycle"))


def _refuse_other(each: Written, metadata: TableMetadata, shape: Shape) -> None:
    """Refuse a file whose fields have other numbers, or whose rows are parted otherwise: they would
    be shown under other names."""
    is_parted = bool(each.month) == (shape.month_of is not None)
    if not is_parted or field_numbers(each) != numbers(metadata, shape.columns):
        raise OtherSchema(f"{each.file.name} was written for another schema of the table.")
