"""What tells a row from a later one under the same key, as the ledger keeps it.

An ending event holds eight bytes for each row that ended: a salted hash of the row's identity, the
fields that `Policy.identity` names. A row that a backup has brought back has the same hash; a new
row under an old key has another one. A key that the site declares to be never used again needs no
hash.

The identity is the table's: the union of what its policies declare, for the host's own deletes
know no policy. Columns of parent tables are not in it, for a DELETE of the child does not see them.

Of a whole row the event names every column: their order does not count, and one that a migration
adds later is no part of what had ended before. The mark `*` stands for the forms of this module: a
row of which the hash is another one may have been changed after a backup, so nothing tells it.
"""

import re
from collections.abc import Callable, Collection
from typing import Any

from django.db.models import Field, Model
from psycopg import sql

from lifecycle.compiler.keys import ANY_TEXT, db_type_of, has_own_text, key_of
from lifecycle.db.rows import home
from lifecycle.policy.policy import WHOLE_ROW
from lifecycle.policy.registry import policies_of

# PostgreSQL's binary form of a value: the same whatever the session's zone, date style and locale.
BINARY = {
    "timestamp with time zone": ("timestamptz_send", "timestamptz"),
    "date": ("date_send", "date"),
    "time": ("time_send", "time"),
    "interval": ("interval_send", "interval"),
    "boolean": ("boolsend", "boolean"),
    "double precision": ("float8send", "float8"),
    "uuid": ("uuid_send", "uuid"),
    "smallint": ("int8send", "bigint"),
    "integer": ("int8send", "bigint"),
    "bigint": ("int8send", "bigint"),
}
LARGE = 8192  # bytes as they are stored, beyond which a value stands for itself by that number
SHORT = re.compile(r"(varchar|char)\(|numeric|inet|(timestamp|time|date|interval|boolean|uuid)\b")


def identity_of(model: type[Model]) -> tuple[str, ...]:
    """The table's identity: `pk` first, then its fields in the order of their columns; or `*`."""
    declared = {name for policy in policies_of(model) for name in policy.identity}
    if WHOLE_ROW in declared:
        return (WHOLE_ROW,)
    own = [f.name for f in own_fields(model) if not f.primary_key and declared & _names(f)]
    key = {"pk"} | {name for f in own_fields(model) if f.primary_key for name in _names(f)}
    return (*(("pk",) if declared & key else ()), *own)


def is_key_alone(model: type[Model]) -> bool:
    """Whether the declaration says that a key is never used for another row."""
    return identity_of(model) == ("pk",)


def is_whole(names: str) -> bool:
    """Whether an event's `identity` is of the whole row: another hash need not be another row."""
    return names.startswith(WHOLE_ROW)


def hashed(model: type[Model], changed: Collection[str] = ()) -> str:
    """The names of the fields beside the key that are hashed, as an event's `identity` has them.

    Of a whole row without those that the ending has `changed`: a backup has other values of them.
    """
    names = identity_of(model)
    if is_whole(names[0] if names else ""):
        names = (WHOLE_ROW, *(name for name in _whole_row(model) if name not in changed))
    return ",".join(name for name in names if name != "pk")


def identity_sql(model: type[Model], names: str) -> str | None:
    """SQL: the bytes that stand for a row's identity; None when a field is no more.

    `names` is what `hashed` gives now, or gave when an event was written.
    """
    fields = {field.name: field for field in own_fields(model)}
    wanted = [name for name in names.split(",") if name != WHOLE_ROW]
    if not names or not fields.keys() >= set(wanted):
        return None
    form = _bounded if is_whole(names) else _sent
    parts = [_bytes(fields[name], home(model), form) for name in wanted]
    return " || ".join([*parts, _key_bytes(model)])


def _whole_row(model: type[Model]) -> list[str]:
    """Every column but the key and those that the database works out of others."""
    return [f.name for f in own_fields(model) if not f.primary_key and not f.generated]


def in_order(model: type[Model]) -> str:
    """SQL: the order of `key` in which identities stand, whatever the database's collation."""
    return 'key COLLATE "C"' if key_of(model).kind == "text" else "key"


def own_fields(model: type[Model]) -> list["Field[Any, Any]"]:
    """The columns of the model's own table."""
    return list(model._meta.concrete_model._meta.local_concrete_fields)  # type: ignore[union-attr]


def _names(field: "Field[Any, Any]") -> set[str]:
    return {field.name, str(getattr(field, "attname", field.name))}


def _bytes(field: "Field[Any, Any]", using: str, form: Callable[[str, str], str]) -> str:
    """One column; a NULL is told from every value, and the length of a text from its letters."""
    column = sql.Identifier(str(field.column)).as_string()
    value = form(column, db_type_of(field, using))
    if not field.null:
        return value
    return f"coalesce('\\x01'::bytea || {value}, '\\x00')"


def _sent(column: str, db_type: str) -> str:
    if db_type == "bytea":
        return f"(int4send(length({column})) || {column})"
    if db_type in BINARY:
        function, cast = BINARY[db_type]
        return f"{function}({column}::{cast})"
    text = f"{column}::text" if has_own_text(db_type) else ANY_TEXT.format(column)
    return f"(int4send(length({text})) || convert_to({text}, 'UTF8'))"


def _bounded(column: str, db_type: str) -> str:
    """The same; of a value that may be long no more is read than a page of the table holds."""
    value = _sent(column, db_type)
    if SHORT.match(db_type) or db_type in BINARY:
        return value
    size = f"pg_column_size({column})"
    return f"(CASE WHEN {size} > {LARGE} THEN '\\x02'::bytea || int4send({size}) ELSE {value} END)"


def _key_bytes(model: type[Model]) -> str:
    key = key_of(model)
    column = sql.Identifier(key.column).as_string()
    types = {"bigint": "bigint", "uuid": "uuid"}
    if key.kind in types:
        return _sent(column, types[key.kind])
    return f"convert_to({key.stored(column)}, 'UTF8')"
