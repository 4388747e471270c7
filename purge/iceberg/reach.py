"""What a table refers to, read from the place: its metadata, and the data files that it shows."""

from typing import Any, NamedTuple

from purge.archive.destinations import Destination
from purge.iceberg.catalogue import translated
from purge.models import IcebergTable


class Shown(NamedTuple):
    """A data file as a table has it."""

    name: str
    bytes: int
    rows: int


class Reach(NamedTuple):
    """The objects of a table: names of its metadata, and the data files of its newest snapshot and
    of former ones."""

    metadata: set[str]
    shown: list[Shown]
    former: set[str]


def reached(own: IcebergTable, where: Destination, files: bool = True) -> Reach:
    """All that the table's present version refers to; `ArchiveError` where it cannot be read.

    Without `files` its metadata alone, which costs less.
    """
    from purge.iceberg.metadata import loaded
    from purge.iceberg.objects import Objects

    metadata, objects = loaded(own, where), Objects(where)
    if metadata is None:
        return Reach(set(), [], set())
    found = reached_by(own, metadata, objects, files)
    log = {objects.name_of(each.metadata_file) for each in metadata.metadata_log}
    return found._replace(metadata=found.metadata | log | {own.metadata_name()})


def reached_by(own: IcebergTable, metadata: Any, objects: Any, files: bool = True) -> Reach:
    """The same of metadata, whoever has written them; their own file is not among it."""
    with translated(own):
        return _reached(metadata, objects, files)


def _reached(metadata: Any, objects: Any, files: bool) -> Reach:
    names: set[str] = set()
    newest: dict[str, Any] = {}
    others: dict[str, Any] = {}
    for snapshot in metadata.snapshots:
        is_newest = snapshot.snapshot_id == metadata.current_snapshot_id
        names.add(objects.name_of(snapshot.manifest_list))
        found = {each.manifest_path: each for each in snapshot.manifests(objects)}
        (newest if is_newest else others).update(found)
    names |= {objects.name_of(path) for path in (*newest, *others)}
    if not files:
        return Reach(names, [], set())
    shown = [each for manifest in newest.values() for each in _files(manifest, objects)]
    rest = (manifest for path, manifest in others.items() if path not in newest)
    former = {each.name for manifest in rest for each in _files(manifest, objects)}
    return Reach(names, shown, former - {each.name for each in shown})


def _files(manifest: Any, objects: Any) -> list[Shown]:
    entries = manifest.fetch_manifest_entry(objects, discard_deleted=True)
    files = [entry.data_file for entry in entries]
    return [
        Shown(objects.name_of(f.file_path), f.file_size_in_bytes, f.record_count) for f in files
    ]
