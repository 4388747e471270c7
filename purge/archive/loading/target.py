"""The table that rows are loaded into, compared with the archive: columns may have changed."""

import re
from dataclasses import dataclass, field

from django.db import DatabaseError, transaction
from psycopg import sql

from lifecycle.db.connection import Placed, scalar, statement
from lifecycle.exceptions import LifecycleError
from purge.archive.formats import Column
from purge.archive.manifest import Manifest
from purge.archive.table import columns_of

COMMENT = re.compile(r"--|/\*")


@dataclass(frozen=True)
class Target:
    """The table that rows are loaded into, and which of its columns.

    `name` is quoted. `create_sql` makes the table where it is not there, `mark_sql` says what it
    is for. `notes` say where it differs from the archive.
    """

    name: Placed
    columns: list[str]
    key: str
    create_sql: str = ""
    mark_sql: str = ""
    notes: list[str] = field(default_factory=list)


def quoted(*parts: str) -> Placed:
    """An identifier for a statement with parameters."""
    return Placed(sql.Identifier(*parts).as_string().replace("%", "%%"))


def target(name: Placed, key: str, manifest: Manifest, using: str) -> Target:
    """An existing table, compared with the archive; `LifecycleError` where rows cannot go there.

    Columns that the table no longer has are left out; columns that it has since have their
    default, or NULL. `notes` say so. A column that needs a value and has no default is refused.
    """
    columns = columns_of(_plain(name), using)
    archived = dict(manifest.columns)
    if key not in {each.name for each in columns} & archived.keys():
        raise LifecycleError(
            f"The table {_shown(name)} and the archive do not share the key {key!r}."
        )
    own = [each for each in columns if not each.computed]
    types = {each.name: each.db_type for each in own}
    if missing := [e.name for e in own if e.needs_value and e.name not in archived]:
        raise LifecycleError(
            f"Rows of {_shown(name)} need a value for {', '.join(missing)}, which the archive does"
            " not have: give the column a default in the database, or load --into another table."
        )
    shared = [column for column in archived if column in types]
    return Target(
        name, shared, key, notes=_notes(name, archived, types, {each.name for each in columns})
    )


def new_target(name: Placed, manifest: Manifest, using: str) -> Target:
    """A table that is to be made, with the archive's columns."""
    for column in manifest.columns:
        _refuse_unknown(column, using)
    columns = ", ".join(f"{quoted(column)} {db_type}" for column, db_type in manifest.columns)
    parts = {"table": name, "columns": Placed(columns), "key": quoted(manifest.key)}
    create_sql = statement(__file__, "make_table", **parts)
    mark_sql = statement(__file__, "mark_table", table=name)
    columns_made = [column for column, _ in manifest.columns]
    return Target(name, columns_made, manifest.key, create_sql, mark_sql)


def is_there(name: Placed, using: str) -> bool:
    """Whether there is such a table."""
    return bool(columns_of(_plain(name), using))


def is_made_here(name: Placed, using: str) -> bool:
    """Whether a load of this role has made the table: for rows to look at, for nothing else."""
    return bool(scalar(using, statement(__file__, "is_made_here"), {"table": _plain(name)}))


def is_one_of(name: Placed, others: list[str], using: str) -> bool:
    """Whether a table is one of others, with or without a schema: `public.t` is `t`."""
    params = {"table": _plain(name), "others": [_plain(each) for each in others]}
    return bool(scalar(using, statement(__file__, "is_one_of"), params))


def has_key(name: Placed, column: str, using: str) -> bool:
    """Whether a column of the table is unique."""
    params = {"table": _plain(name), "column": column}
    return bool(scalar(using, statement(__file__, "is_key"), params))


def _plain(name: str) -> str:
    """A quoted name as the value of a parameter, which PostgreSQL looks up."""
    return name.replace("%%", "%")


def _shown(name: str) -> str:
    """A quoted name as people write it."""
    return _plain(name).replace('"', "")


def _refuse_unknown(column: Column, using: str) -> None:
    """Refuse a type that the database does not know: a manifest is a file, and no SQL of ours."""
    params = {"type": column.db_type}
    try:
        with transaction.atomic(using=using):
            known = scalar(using, statement(__file__, "known_type"), params)
    except DatabaseError:  # before PostgreSQL 16, where it is no name at all
        known = False
    if not known or COMMENT.search(column.db_type):
        raise LifecycleError(f"There is no type {column.db_type!r}, which {column.name} has.")


def _notes(
    name: Placed, archived: dict[str, str], types: dict[str, str], there: set[str]
) -> list[str]:
    gone = [column for column in archived if column not in there]
    new = [column for column in types if column not in archived]
    other = [c for c, db_type in types.items() if archived.get(c, db_type) != db_type]
    notes = [
        f"{_shown(name)} has no column {column} any more: its values are left out."
        for column in gone
    ]
    notes += [f"{column} is new in {_shown(name)}: it gets its default, or NULL." for column in new]
    return notes + [f"{c} was {archived[c]} and is {types[c]} now." for c in other]
