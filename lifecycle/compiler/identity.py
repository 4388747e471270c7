"""What tells a row from a later one under the same key, as the ledger keeps it.

An ending event holds eight bytes for each row that ended: a salted hash of the row's identity, the
fields that `Policy.identity` names. A row that a backup has brought back has the same hash; a new
row under an old key has another one. A key that is never used again, such as a UUID, is identity
enough and needs no hash.

The identity is the table's: the union of what its policies declare, for the host's own deletes
know no policy. Columns of parent tables are not in it, for a DELETE of the child does not see them.
"""

from typing import Any

from django.db.models import Field, Model
from psycopg import sql

from lifecycle.compiler.keys import db_type_of, key_of
from lifecycle.db.routing import home
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


def identity_of(model: type[Model]) -> tuple[str, ...]:
    """The table's identity: `pk` first, then its fields in the order of their columns."""
    declared = {name for policy in policies_of(model) for name in policy.identity}
    own = [f.name for f in own_fields(model) if not f.primary_key and declared & _names(f)]
    key = {"pk"} | {name for f in own_fields(model) if f.primary_key for name in _names(f)}
    return (*(("pk",) if declared & key else ()), *own)


def is_key_alone(model: type[Model]) -> bool:
    """Whether the declaration says that a key is never used for another row."""
    return identity_of(model) == ("pk",)


def hashed(model: type[Model]) -> str:
    """The names of the fields beside the key that are hashed, as an event's `identity` has them."""
    return ",".join(name for name in identity_of(model) if name != "pk")


def identity_sql(model: type[Model], names: str) -> str | None:
    """SQL: the bytes that stand for a row's identity; None when a field is no more.

    `names` is what `hashed` gives now, or gave when an event was written.
    """
    fields = {field.name: field for field in own_fields(model)}
    wanted = names.split(",")
    if not names or not fields.keys() >= set(wanted):
        return None
    return " || ".join([*(_bytes(fields[name], home(model)) for name in wanted), _key_bytes(model)])


def in_order(model: type[Model]) -> str:
    """SQL: the order of `key` in which identities stand, whatever the database's collation."""
    return 'key COLLATE "C"' if key_of(model).kind == "text" else "key"


def own_fields(model: type[Model]) -> list["Field[Any, Any]"]:
    """The columns of the model's own table."""
    return list(model._meta.concrete_model._meta.local_concrete_fields)  # type: ignore[union-attr]


def _names(field: "Field[Any, Any]") -> set[str]:
    return {field.name, str(getattr(field, "attname", field.name))}


def _bytes(field: "Field[Any, Any]", using: str) -> str:
    """One column; a NULL is told from every value, and the length of a text from its letters."""
    column = sql.Identifier(str(field.column)).as_string()
    value = _sent(column, db_type_of(field, using))
    if not field.null:
        return value
    return f"coalesce('\\x01'::bytea || {value}, '\\x00')"


def _sent(column: str, db_type: str) -> str:
    if db_type in BINARY:
        function, cast = BINARY[db_type]
        return f"{function}({column}::{cast})"
    return f"(int4send(length({column}::text)) || convert_to({column}::text, 'UTF8'))"


def _key_bytes(model: type[Model]) -> str:
    key = key_of(model)
    column = sql.Identifier(key.column).as_string()
    types = {"bigint": "bigint", "uuid": "uuid"}
    if key.kind in types:
        return _sent(column, types[key.kind])
    return f"convert_to({column}::text, 'UTF8')"
