"""How models and their primary keys are written in the ledger.

A key that is neither an integer nor a UUID is written as text, always the same text for keys that
are equal, whatever the settings of the session that writes it: a hold, a restore and an ending are
found by it. `Key.stored` makes it in the database, `key_text` in Python; `typed` reads it.
"""

import json
import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import connections
from django.db.models import Field, Model
from psycopg import sql
from psycopg.types.json import Jsonb

from lifecycle.db.rows import home
from lifecycle.db.tables import catalogue_name

INTEGERS = {
    "AutoField", "BigAutoField", "SmallAutoField", "IntegerField", "BigIntegerField",
    "SmallIntegerField", "PositiveIntegerField", "PositiveBigIntegerField",
    "PositiveSmallIntegerField",
}  # fmt: skip


#: by the first words of a type: SQL of the one text of a key, where the type's own is not that.
#: Any type that is not here, a site's own among them, is written under pinned settings.
TEXTS = {
    "citext": "pg_catalog.lower({}::text)",
    "numeric": "pg_catalog.trim_scale({}::numeric)::text",  # 1.0 and 1.00 are one key
    "decimal": "pg_catalog.trim_scale({}::numeric)::text",
    "double precision": "lifecycle.text_v1({} + 0::float8)",  # -0 is 0
    "interval": "lifecycle.interval_text_v1({})",  # 24 hours are a day
    "real": "lifecycle.text_v1({} + 0::float4)",
    **dict.fromkeys(
        ("text", "varchar", "character varying", "char", "character", "bpchar", "name", "boolean",
         "inet", "cidr", "macaddr", "macaddr8"),
        "{}::text",
    ),
}  # fmt: skip
ANY_TEXT = "lifecycle.text_v1({})"
#: of a collation for which equal texts may differ in case
FOLDED = (
    "(CASE WHEN 'a' COLLATE {collation} = 'A' THEN pg_catalog.lower({key}::text)"
    ' ELSE {key}::text END COLLATE "default")'
)


LENGTH = re.compile(r"\([\d, ]+\)")


@dataclass(frozen=True)
class Key:
    """A primary key: its column, its type in the database, and the ledger's type for it.

    `kind` is `bigint`, `uuid` or `text`; everything that is neither an integer nor a UUID is
    written as text. `collation` is the one that its field names, or ''.
    """

    column: str
    db_type: str
    kind: str
    collation: str = field(default="", repr=False)  # the repr is part of fingerprints

    def stored(self, key: str) -> str:
        """SQL: a key, SQL of the column's type, in the ledger's type. The same for equal keys."""
        if self.kind != "text":
            return f"{key}::{self.kind}"
        if self.collation:
            return FOLDED.format(key=key, collation=sql.Identifier(self.collation).as_string())
        return TEXTS.get(self._name, ANY_TEXT).format(key)

    def text(self, key: str) -> str:
        """SQL: the same as text, which row exceptions have."""
        return self.stored(key) if self.kind == "text" else f"{self.stored(key)}::text"

    def typed(self, key: str) -> str:
        """SQL: the ledger's key, or any text of it, in the column's type.

        Without the type's length: a longer text is no key, and not the key that it begins with.
        """
        return f"{key}::text::{self.cast}"

    @property
    def cast(self) -> str:
        """The column's type, without a length or precision to which a value would be cut."""
        if self._name in ("char", "character"):
            return "bpchar"
        return self.db_type if self._name == "bit" else LENGTH.sub("", self.db_type)

    @property
    def _name(self) -> str:
        name = LENGTH.sub("", self.db_type)
        return "citext" if name.endswith(".citext") else name  # of whichever schema


def key_of(model: type[Model]) -> Key:
    """The key of the model's own table; of a child table, the column that points to its parent."""
    pk: Any = model._meta.concrete_model._meta.pk  # type: ignore[union-attr]
    target = key_field(model)
    kind = "bigint" if target.get_internal_type() in INTEGERS else "text"
    if target.get_internal_type() == "UUIDField":
        kind = "uuid"
    collation = str(getattr(target, "db_collation", None) or "")
    return Key(catalogue_name(str(pk.column)), db_type_of(target, home(model)), kind, collation)


def subjects_of(key: Key, keys: str) -> str:
    """An SQL expression for an array of keys as the ledger's type of a set."""
    return f"ROW({arrays_of(key, keys)}, NULL)::lifecycle.subjects"


def arrays_of(key: Key, keys: str) -> str:
    """An array of keys as three arguments, by their types; two are NULL."""
    return ", ".join(keys if kind == key.kind else "NULL" for kind in ("bigint", "uuid", "text"))


def label_of(policy: Any) -> str:
    """The ledger's name of the policy's table: `app.model` of the concrete model."""
    return label_of_model(policy.model)


def label_of_model(model: Model | type[Model]) -> str:
    """The ledger's name of the table of a model, or of a row: `app.model` of the concrete model."""
    return str(model._meta.concrete_model._meta.label_lower)  # type: ignore[union-attr]


def key_field(model: type[Model]) -> "Field[Any, Any]":
    """The field that gives the key its type; of a child table, its first ancestor's."""
    field: Any = model._meta.concrete_model._meta.pk  # type: ignore[union-attr]
    while field.remote_field is not None:
        field = field.target_field
    return field


def is_object(field: "Field[Any, Any]") -> bool:
    """Whether Python has values of a field as objects that the field itself makes."""
    return hasattr(field, "from_db_value")


def key_text(model: type[Model], value: Any) -> str:
    """A key of Python's as text that PostgreSQL reads, by the field's own conversion.

    Not always the ledger's text of it: an `inet` has its mask there.
    """
    if is_object(field := key_field(model)):
        value = field.get_db_prep_value(value, connections[home(model)])
    if isinstance(value, Jsonb):
        return json.dumps(value.obj)
    if isinstance(value, bytes | bytearray | memoryview):
        return f"\\x{bytes(value).hex()}"
    if isinstance(value, timedelta) and value.days:  # a sign alone would count for all of it
        return f"{value.days} days +{value - timedelta(days=value.days)}"
    return str(value)


def db_type_of(field: "Field[Any, Any]", using: str) -> str:
    """The type of the column in the database; of a foreign key, that of its target."""
    return str(field.rel_db_type(connections[using]) or "text")
