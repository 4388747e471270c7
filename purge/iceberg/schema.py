"""The schema of a table: a field for each column, of the same number as long as it is the same.

A column that comes is a new field; one that goes stays as a field, NULL in what is written from
then on. One whose type becomes wider is the same field. One whose type becomes another is a new
field: the former one is called `NAME_was_TYPE`. So what was archived is always read as it was.
Needs pyiceberg.
"""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from django.core.exceptions import ImproperlyConfigured

try:
    import pyarrow
    from pyiceberg.partitioning import PartitionField, PartitionSpec
    from pyiceberg.schema import Schema
    from pyiceberg.table.metadata import TableMetadata
    from pyiceberg.transforms import MonthTransform
    from pyiceberg.types import (
        BooleanType,
        DateType,
        DecimalType,
        DoubleType,
        FloatType,
        IcebergType,
        IntegerType,
        LongType,
        NestedField,
        StringType,
        TimestampType,
        TimestamptzType,
    )
except ImportError as error:
    raise ImproperlyConfigured(
        "Archives as tables need pyiceberg: pip install django-tombstone[iceberg]"
    ) from error

from purge.archive.formats.base import Column, exact_name
from purge.archive.formats.iceberg import wide_type, written_name

EXACT = "texts of values that their own fields cannot hold: a JSON object by fields"
WRITTEN = "when the archive of the row was written"
OWN = (EXACT, WRITTEN)
NOT_PLAIN = re.compile(r"[^a-z0-9]+")
PARTITION = 1_000  # the number of the first field that parts a table
TYPES: dict[Any, IcebergType] = {
    pyarrow.int32(): IntegerType(), pyarrow.int64(): LongType(), pyarrow.float32(): FloatType(),
    pyarrow.float64(): DoubleType(), pyarrow.bool_(): BooleanType(), pyarrow.date32(): DateType(),
    pyarrow.timestamp("us", "UTC"): TimestamptzType(), pyarrow.timestamp("us"): TimestampType(),
    pyarrow.string(): StringType(),
}  # fmt: skip
WIDER = {(IntegerType(), LongType()), (FloatType(), DoubleType())}


class Wanted(NamedTuple):
    """A field that rows are written with: its name, its type, the column's type in PostgreSQL."""

    name: str
    kind: IcebergType
    doc: str


def wanted(columns: Sequence[Column]) -> list[Wanted]:
    """The fields for rows of these columns."""
    own = [Wanted(each.name, type_of(wide_type(each.db_type)), each.db_type) for each in columns]
    exact = Wanted(exact_name(columns), StringType(), EXACT)
    return [*own, exact, Wanted(written_name(columns), TimestamptzType(), WRITTEN)]


def type_of(kind: Any) -> IcebergType:
    """The type of a field, from that of a data file."""
    if pyarrow.types.is_decimal(kind):
        return DecimalType(kind.precision, kind.scale)
    return TYPES[kind]


def first_schema(columns: Sequence[Column]) -> Schema:
    """The schema of a table that begins with these columns."""
    return Schema(*(
        NestedField(number, each.name, each.kind, required=False, doc=each.doc)
        for number, each in enumerate(wanted(columns), 1)
    ))  # fmt: skip


def first_spec(schema: Schema, month_of: str | None) -> PartitionSpec:
    """How such a table is parted: by the months of a column, or not at all."""
    if month_of is None:
        return PartitionSpec()
    source = _id_of(schema, month_of)
    name = _free(f"{month_of}_month", {each.name for each in schema.fields})
    return PartitionSpec(PartitionField(source, PARTITION, MonthTransform(), name))


def evolve(transaction: Any, columns: Sequence[Column], month_of: str | None) -> None:
    """Have the table's schema fit these columns, in a transaction of pyiceberg's."""
    _rename_changed(transaction, columns)
    _add_missing(transaction, columns)
    _part(transaction, month_of)


def numbers(metadata: TableMetadata, columns: Sequence[Column]) -> dict[str, int]:
    """The number of the field that each name has."""
    by_name = {each.name: each.field_id for each in metadata.schema().fields}
    return {each.name: by_name[each.name] for each in wanted(columns)}


def _fields(transaction: Any) -> dict[str, NestedField]:
    return {each.name: each for each in transaction.table_metadata.schema().fields}


def _rename_changed(transaction: Any, columns: Sequence[Column]) -> None:
    found = _fields(transaction)
    changed = [each for each in wanted(columns) if _is_other(found.get(each.name), each)]
    if not changed:
        return
    taken = set(found) | {each.name for each in wanted(columns)}
    with transaction.update_schema() as update:
        for each in changed:
            was = NOT_PLAIN.sub("_", (found[each.name].doc or "text").lower()).strip("_")
            name = _free(f"{each.name}_was_{was[:40]}", taken)
            taken.add(name)
            update.rename_column((each.name,), name)


def _add_missing(transaction: Any, columns: Sequence[Column]) -> None:
    found = _fields(transaction)
    others = [each for each in wanted(columns) if not _is_same(found.get(each.name), each)]
    if not others:
        return
    with transaction.update_schema() as update:
        for each in others:
            if each.name in found:
                update.update_column((each.name,), each.kind, doc=each.doc)
            else:
                update.add_column((each.name,), each.kind, doc=each.doc)


def _part(transaction: Any, month_of: str | None) -> None:
    metadata = transaction.table_metadata
    source = None if month_of is None else _id_of(metadata.schema(), month_of)
    own = metadata.spec().fields
    if [each.source_id for each in own] == ([] if source is None else [source]):
        return
    names = {each.name for each in metadata.schema().fields}
    names |= {each.name for spec in metadata.partition_specs for each in spec.fields}
    with transaction.update_spec() as update:
        for each in own:
            update.remove_field(each.name)
        if month_of is not None:
            update.add_field(month_of, MonthTransform(), _free(f"{month_of}_month", names))


def _is_same(field: NestedField | None, each: Wanted) -> bool:
    return field is not None and (field.field_type, field.doc) == (each.kind, each.doc)


def _is_other(field: NestedField | None, each: Wanted) -> bool:
    """Whether a field of that name is one of other values."""
    if field is None:
        return False
    if (field.doc in OWN or each.doc in OWN) and field.doc != each.doc:
        return True
    return field.field_type != each.kind and not _is_wider(field.field_type, each.kind)


def _is_wider(before: IcebergType, after: IcebergType) -> bool:
    if isinstance(before, DecimalType) and isinstance(after, DecimalType):
        return before.scale == after.scale and before.precision <= after.precision
    return (before, after) in WIDER


def _id_of(schema: Schema, name: str) -> int:
    return next(each.field_id for each in schema.fields if each.name == name)


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    return name
