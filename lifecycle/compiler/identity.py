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

Of a declared identity the event names each field with its type (`identity_forms`): a row that came
back into a field of another type is no other row for that.
"""

from collections.abc import Callable, Collection
from typing import Any

from django.db.models import Field, Model
from psycopg import sql

from lifecycle.compiler import identity_forms as forms
from lifecycle.compiler.keys import db_type_of, key_field, key_of
from lifecycle.db.rows import home
from lifecycle.policy.policy import WHOLE_ROW
from lifecycle.policy.registry import policies_of


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
    """The fields beside the key that are hashed, as an event's `identity` has them.

    With their types, and that of a key which is text. Of a whole row the names alone, without
    those that the ending has `changed`: a backup has other values of them.
    """
    names = identity_of(model)
    if is_whole(names[0] if names else ""):
        return ",".join((WHOLE_ROW, *(name for name in _whole_row(model) if name not in changed)))
    fields = {field.name: field for field in own_fields(model)}
    told = [str(forms.stated(fields[name], home(model))) for name in names if name != "pk"]
    return ",".join([*_stated_key(model), *told]) if told else ""


def identity_sql(model: type[Model], names: str) -> str | None:
    """SQL: the bytes that stand for a row's identity; None when a field is no more.

    `names` is what `hashed` gives now, or gave when an event was written. None also where no value
    of a field's type can be written as one of the type that it had.
    """
    fields = {field.name: field for field in own_fields(model)}
    wanted = [each for each in forms.read(names) if each.name != "pk"]
    if not names or not fields.keys() >= {each.name for each in wanted}:
        return None
    own = [_bytes(fields[each.name], home(model), each) for each in wanted]
    parts = [part for part in own if part]
    return " || ".join([*parts, _key_bytes(model)]) if len(parts) == len(own) else None


def retyped(model: type[Model], names: str) -> list[str]:
    """The fields of a declared identity that have another type, or NULLs, than an event says.

    `pk` is the key. Another hash is then no proof of another row.
    """
    if is_whole(names):
        return []
    now = {each.name: each for each in map(_stated_now(model), own_fields(model))}
    now |= {each.name: each for each in forms.read(",".join(_stated_key(model)))}
    return [each.name for each in forms.read(names) if now.get(each.name, each) != each]


def columns_of(model: type[Model], names: str) -> list[str]:
    """The columns that an event's identity is made of, and a key whose text is one of them."""
    columns = {field.name: str(field.column) for field in own_fields(model)}
    columns["pk"] = key_of(model).column
    return [columns[each.name] for each in forms.read(names) if each.name in columns]


def _stated_now(model: type[Model]) -> Callable[["Field[Any, Any]"], forms.Stated]:
    return lambda field: forms.stated(field, home(model))


def _stated_key(model: type[Model]) -> list[str]:
    """The type of a key that the ledger has as text: an equal key may have another text then."""
    key = key_of(model)
    label = forms.stated(key_field(model), home(model)).type
    return [f"pk {label}"] if key.kind == "text" else []


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


def _bytes(field: "Field[Any, Any]", using: str, was: forms.Stated) -> str | None:
    """One column, as `was` says that it stood; without a type as one of a whole row."""
    value = (sql.Identifier(str(field.column)).as_string(), db_type_of(field, using))
    collation = forms.collation_of(field)
    if not was.type:
        return forms.or_null(forms.bounded(*value, collation), bool(field.null))
    same = forms.stated(field, using).type == was.type
    made = forms.sent(*value, collation) if same else forms.sent_as(*value, was.type)
    return made and forms.or_null(made, was.null)


def _key_bytes(model: type[Model]) -> str:
    key = key_of(model)
    column = sql.Identifier(key.column).as_string()
    types = {"bigint": "bigint", "uuid": "uuid"}
    if key.kind in types:
        return forms.sent(column, types[key.kind])
    return f"convert_to({key.stored(column)}, 'UTF8')"
