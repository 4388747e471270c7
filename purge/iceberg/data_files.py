"""A data file as a table has it: where it is, its month, and what is told of its columns.

Least and greatest values are told of those columns alone that the table names. Needs pyiceberg.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.core.exceptions import ImproperlyConfigured

try:
    from pyiceberg.io.pyarrow import (
        compute_statistics_plan,
        data_file_statistics_from_parquet_metadata,
    )
    from pyiceberg.manifest import DataFile, DataFileContent, FileFormat
    from pyiceberg.table.metadata import TableMetadata
    from pyiceberg.typedef import Record
except ImportError as error:
    raise ImproperlyConfigured(
        "Archives as tables need pyiceberg: pip install django-tombstone[iceberg]"
    ) from error

from purge.archive.destinations import Destination
from purge.archive.formats.iceberg import month_of as month_from
from purge.archive.manifest import File
from purge.iceberg.schema import type_of

METRICS = "write.metadata.metrics.column."
NUMBER = b"PARQUET:field_id"


class Written(NamedTuple):
    """A data file: as a manifest names it, its month, and pyarrow's description of it."""

    file: File
    month: str
    footer: Any


def tell(transaction: Any, told: Sequence[str]) -> None:
    """Have the table tell the least and greatest values of these columns."""
    wanted = {f"{METRICS}{name}": "full" for name in told}
    have = transaction.table_metadata.properties
    if missing := {name: how for name, how in wanted.items() if have.get(name) != how}:
        transaction.set_properties(missing)


def data_file(
    each: Written, metadata: TableMetadata, like: DataFile | None, where: Destination
) -> DataFile:
    """A file as the table has it: parted by its month, or as another one that it stands for."""
    months = Record(month_from(each.month)) if each.month else Record()
    found = data_file_statistics_from_parquet_metadata(
        each.footer,
        compute_statistics_plan(metadata.schema(), _told(each, metadata)),
        field_numbers(each),
    )
    return DataFile.from_args(
        content=DataFileContent.DATA, file_path=where.url(each.file.name),
        file_format=FileFormat.PARQUET, partition=like.partition if like else months,
        file_size_in_bytes=each.file.bytes, sort_order_id=None,
        spec_id=like.spec_id if like else metadata.default_spec_id,
        equality_ids=None, key_metadata=None, **found.to_serialized_dict(),
    )  # fmt: skip


def _told(each: Written, metadata: TableMetadata) -> dict[str, str]:
    """The table's properties, but that bounds are told of fields alone whose type is the file's."""
    own = {each.name: each for each in metadata.schema().fields}
    types = {int(f.metadata[NUMBER]): f.type for f in each.footer.schema.to_arrow_schema()}
    wanted = dict(metadata.properties)
    for name, field in own.items():
        there = types.get(field.field_id)
        if f"{METRICS}{name}" in wanted and (there is None or type_of(there) != field.field_type):
            del wanted[f"{METRICS}{name}"]
    return wanted


def field_numbers(each: Written) -> dict[str, int]:
    """The number of each field, by its name in a file."""
    schema = each.footer.schema.to_arrow_schema()
    return {field.name: int((field.metadata or {}).get(NUMBER, b"0")) for field in schema}


def month_in(path: str) -> str:
    """The month that a data file's name has; empty where it has none."""
    return path.rpartition("/")[2].removesuffix(".parquet").partition(".")[2]
