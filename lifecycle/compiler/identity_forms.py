"""The bytes of one value of an identity, and how a field stood when they were made.

An event names each field of a declared identity with its type, and says of one that may be NULL
that it may. After a migration the same row is looked for in the form of then, as far as a value of
the new type can be written so: equal bytes are the same row. Others tell nothing, for the
migration may have changed them.
"""

import re
from typing import Any, NamedTuple

from django.db.models import Field

from lifecycle.compiler.keys import Key, db_type_of

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
TEXT = re.compile(r"(text|varchar|char|character varying|character|bpchar)\b")
COMMA = re.compile(r",(?![^()]*\))")  # one between fields, not between digits of a type
STATED = re.compile(r"(\w+)(?: (.+?))?( null)?")
#: of texts that can only be the one that a value has: SQL of the value, else NULL
READ = {
    "integer": "CASE WHEN {0} ~ '^(0|-?[1-9][0-9]{{0,17}})$' THEN {0}::bigint END",
    "uuid": "CASE WHEN {0} ~ '^[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}$' THEN {0}::uuid END",  # noqa: E501
}


class Stated(NamedTuple):
    """A field as an event names it: its type, '' of a whole row, and whether it may be NULL."""

    name: str
    type: str
    null: bool

    def __str__(self) -> str:
        return f"{self.name} {self.type}{' null' if self.null else ''}"


def stated(field: "Field[Any, Any]", using: str) -> Stated:
    """How a field stands now. Integers of all widths are one: a wider one has the same values."""
    db_type = db_type_of(field, using)
    if BINARY.get(db_type) == BINARY["integer"]:
        db_type = "integer"
    told = f"{db_type} {collation_of(field)}".strip()
    return Stated(field.name, re.sub(r"[^\w (),.\[\]]", "_", told), bool(field.null))


def collation_of(field: "Field[Any, Any]") -> str:
    """The collation that a field names, or ''."""
    return str(getattr(field, "db_collation", None) or "")


def read(names: str) -> list[Stated]:
    """The fields that an event's `identity` names, without the mark of a whole row."""
    found = [STATED.fullmatch(each) for each in COMMA.split(names) if each not in ("", "*")]
    return [Stated(m[1], m[2] or "", bool(m[3])) for m in found if m]


def sent(column: str, db_type: str, collation: str = "") -> str:
    """SQL: the bytes of a value."""
    if db_type == "bytea":
        return f"(int4send(length({column})) || {column})"
    if db_type in BINARY:
        function, cast = BINARY[db_type]
        return f"{function}({column}::{cast})"
    return _sent_text(_text(column, db_type, collation))


def bounded(column: str, db_type: str, collation: str = "") -> str:
    """The same; of a value that may be long no more is read than a page of the table holds."""
    value = sent(column, db_type, collation)
    if SHORT.match(db_type) or db_type in BINARY:
        return value
    size = f"pg_column_size({column})"
    return f"(CASE WHEN {size} > {LARGE} THEN '\\x02'::bytea || int4send({size}) ELSE {value} END)"


def sent_as(column: str, db_type: str, was: str) -> str | None:
    """SQL: the bytes of a value as they were under another type; None where nothing tells them."""
    if TEXT.match(was) or (was.startswith("numeric") and db_type.startswith("numeric")):
        return _sent_text(_text(column, db_type))
    if was in READ and TEXT.match(db_type):
        value = READ[was].format(f"{column}::text")
        return sent(f"({value})", was)
    return None


def or_null(value: str, null: bool) -> str:
    """SQL: a NULL is told from every value, where there may be one."""
    return f"coalesce('\\x01'::bytea || {value}, '\\x00')" if null else value


def _text(column: str, db_type: str, collation: str = "") -> str:
    """The one text of equal values: 1.0 and 1.00, or `a` and `A` where case does not count."""
    if db_type in ("json", "jsonb"):
        return f"{column}::text"
    return Key("", db_type, "text", collation).stored(column)


def _sent_text(text: str) -> str:
    """With its length, which tells it from the letters of the next column."""
    return f"(int4send(length({text})) || convert_to({text}, 'UTF8'))"
