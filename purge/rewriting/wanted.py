"""Which rows of an archive are wanted: their values compared exactly, as text.

A value is turned into the text that PostgreSQL has for it in the column's type, once; types whose
equal values may have different texts are refused. The values are in no error.
"""

from collections.abc import Callable, Sequence

from django.db import DataError, transaction

from lifecycle.db.connection import Raw, scalar, statement
from lifecycle.exceptions import LifecycleError
from purge.archive.form import Wanted
from purge.archive.formats import Column, Row
from purge.archive.formats.values import base_of
from purge.archive.table import exact

#: by the archive's word for a type, its name in a cast: never text out of a manifest
TYPES = {
    name: name
    for name in (
        *("smallint", "integer", "bigint", "uuid", "text", "character varying", "boolean", "date"),
        *("inet", "cidr", "macaddr"),
    )
} | {"character": "bpchar"}

Matches = Callable[[Row], bool]


def matcher(wanted: Wanted, columns: Sequence[Column], name: str, using: str) -> Matches:
    """Whether a row of an archive is wanted; `LifecycleError` where that cannot be told.

    Of columns of which one is enough, those that the archive has; with `every`, it must have all.
    """
    types = dict(columns)
    there = [column for column in wanted.values if column in types]
    if not there or (wanted.every and len(there) < len(wanted.values)):
        missing = ", ".join(column for column in wanted.values if column not in types)
        raise LifecycleError(f"{name} has no column {missing}: its rows cannot be told.")
    places = {column.name: place for place, column in enumerate(columns)}
    sought = [(places[each], _text(wanted, each, types[each], name, using)) for each in there]
    if wanted.every:
        return lambda row: all(row[place] == text for place, text in sought)
    return lambda row: any(row[place] == text for place, text in sought)


def _text(wanted: Wanted, column: str, db_type: str, name: str, using: str) -> str:
    cast = TYPES.get(base_of(db_type))
    if cast is None:
        raise LifecycleError(f"{name}: rows cannot be found by {column}, which is {db_type}.")
    text = statement(__file__, "as_text", type=Raw(cast))
    try:
        with transaction.atomic(using=using), exact(using):
            return str(scalar(using, text, {"value": wanted.values[column]}))
    except DataError as error:
        why = f"{name}: what is looked for in {column} is no {db_type}."
        raise LifecycleError(why) from error
