"""The table that a policy's archives are: found, or begun; and archives that it is to show.

`purge.archiving` asks this module; what is below it needs pyiceberg.
"""

from collections.abc import Callable
from typing import Any, BinaryIO

from django.db import IntegrityError, transaction

from lifecycle.compiler.windows import counts_only
from purge.archive.destinations import Destination
from purge.archive.formats.iceberg import Layout
from purge.archive.manifest import File, Manifest
from purge.archive.table import Table
from purge.exceptions import ArchiveError
from purge.iceberg import catalogue, commit
from purge.iceberg.rejoin import rejoin
from purge.models import Archive, IcebergTable

FOLDERS_TRIED = 20
DATED = ("date", "timestamp with time zone", "timestamp without time zone")


def is_table(policy: Any) -> bool:
    """Whether the archives of a policy are a table."""
    return bool(getattr(policy.disposition, "table", None))


def table_of(table: Table, where: Destination) -> IcebergTable:
    """The table of a policy's archives in this place; a new one where it has none.

    Where somebody else has put a table into the folder of that name, the next one is taken.
    """
    known = catalogue.known_table(table.policy, where, table.using)
    if known is not None:
        rejoin(known, where, table.using)
        return known
    for number in range(1, FOLDERS_TRIED + 1):
        own = catalogue.new_table(table.policy, where, number, table.using)
        if rejoin(own, where, table.using):
            return own
        if not commit.versions(own, where) and _is_taken(own, table.using):
            return own
    raise ArchiveError(f"Others have tables below {own.folder} in {where.title}.")


def _is_taken(own: IcebergTable, using: str) -> bool:
    try:
        with transaction.atomic(using=using):
            own.save(using=using)
    except IntegrityError:  # another database's, or another worker's
        return False
    return True


def month_of(table: Table) -> str | None:
    """The column whose months part the table: None where rows have no time."""
    types = dict(table.columns)
    named = table.time if table.time else ""
    return named if types.get(named, "").split("(")[0] in DATED else None


def layout_of(table: Table, where: Destination, own: IcebergTable, now: Any) -> Layout:
    """How rows of the table's are written, so that the next version can show them."""
    from purge.iceberg.staging import fitting

    return Layout(fitting(own, where, _shape(table)), month_of(table), now)


def _shape(table: Table) -> Any:
    from purge.iceberg.staging import Shape

    names = [month_of(table), None if counts_only(table.policy.model) else table.key]
    return Shape(table.columns, month_of(table), [name for name in names if name])


class Footers:
    """What is known of data files by their own ends, gathered while they are read back."""

    def __init__(self, manifest: Manifest) -> None:
        self.manifest, self.found = manifest, []  # type: ignore[var-annotated]

    def __call__(self, file: File, copy: BinaryIO) -> None:
        from pyarrow.parquet import read_metadata

        from purge.iceberg.data_files import Written

        own = file.name.rpartition("/")[2].removeprefix(f"{self.manifest.name}.")
        month = own.removesuffix("parquet").rstrip(".")
        self.found.append(Written(file, month, read_metadata(copy)))


def show(
    table: Table, where: Destination, archive: Archive, footers: Footers, now: Any,
    finish: Callable[[], None],
) -> None:  # fmt: skip
    """Have the policy's table show an archive's rows, whose files were read back.

    `finish` is called in the transaction that makes it so.
    """
    from purge.iceberg.staging import with_files

    own, shape = table_of(table, where), _shape(table)

    def make(version: int) -> Any:
        return with_files(own, where, shape, archive.name, footers.found, now, version)

    commit.show(own, where, archive, table.using, make, finish)
    commit.tidy(own, where, table.using)
