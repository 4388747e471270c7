"""Rows that are in their table although the ledger says that they ended: found, not yet judged.

Ledger first, then one look into the table's key for each key that ended: what it costs grows with
the ledger, not with the table. A row that has the identity of an ending is that row; one that has
another is a newer one under an old key. Of whole rows, and of identities of which a field has
another type now, only the former is told.
"""

from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.db.models import Model
from psycopg import sql

from lifecycle.compiler.identity import (
    columns_of,
    identity_sql,
    in_order,
    is_key_alone,
    is_whole,
    retyped,
)
from lifecycle.compiler.keys import key_of
from lifecycle.compiler.policy_sql import compiled
from lifecycle.compiler.row_tables import tables_of
from lifecycle.compiler.windows import is_windowed
from lifecycle.db.connection import Placed, Raw, fetch, statement
from lifecycle.db.sql import literal
from lifecycle.policy.policy import Policy

#: SQL of what tells when an event was written: see `known`
EVENT = {"xmin": "lc_ended.lc_xmin", "transaction": "lc_ended.lc_transaction"}
EVENT |= {"next": "lc_ended.lc_next"}
#: Whether an ending took the row away, or changed it.
TAKEN = "IN ('deleted', 'purged')"
CHANGED = "= 'updated'"


def ended_tables(using: str, kinds: str = TAKEN) -> list[tuple[type[Model], str]]:
    """The models of which the ledger has endings, each with the fields their identities are of.

    '' where they have none. A model that this code does not have is left out.
    """
    found = fetch(using, statement(__file__, "ended_tables", kinds=Raw(kinds)))
    known = _models()
    return [(known[label], names) for label, names in found if label in known]


def model_of(label: str) -> type[Model]:
    """The model that the ledger calls so."""
    return _models()[label]


def _models() -> dict[str, type[Model]]:
    return {model._meta.label_lower: model for model in apps.get_models(include_auto_created=True)}


def identity_now(model: type[Model], names: str) -> str:
    """SQL: the identity that a row has now, by the fields that an event names; NULL without any."""
    made = identity_sql(model, names)
    return f"lifecycle.identities_v1(ARRAY[{made}])" if made else "NULL::bytea"


def told_when_written(model: type[Model], policies: Iterable[Policy]) -> str:
    """SQL: whether an INSERT of a row as it is now leaves an event that names it.

    One of a row that has no end leaves none, nor one that a policy by windows or signals captures:
    when such a row was written, the ledger does not know.
    """
    column = sql.Identifier(tables_of(model)[0], key_of(model).column).as_string()
    told = "EXISTS (SELECT FROM ({}) AS lc_w WHERE lc_w.key = {} AND {} IS NOT NULL)"
    due = "lifecycle.finite_v1(lc_w.due::timestamptz)"
    found = [
        told.format(compiled(policy).due_sql, column, due)
        for policy in policies
        if policy.capture.triggers and not is_windowed(policy)
    ]
    return f"({' OR '.join(found) or 'false'})"


def search(
    model: type[Model], names: str, events: str, wanted: str = "true", readable: bool = True
) -> str:
    """SQL: `event`, `key`, `identity`, `same`, `older` of each row that is there under their keys.

    `events` is a condition on `event`, the ledger's events; `wanted` one on the row. `same` is NULL
    where no identity tells, as of a whole row that is not as it ended. `older`: written before the
    event, by the numbers of the transactions. Not `readable`: identities are not asked for, because
    a value cannot be read as the type that its field has.
    """
    key = key_of(model)
    table = tables_of(model)[0]
    parts: dict[str, Any] = {
        "older": Placed(older("lc_row.lc_written", EVENT)),
        "kind": Raw(key.kind), "type": Raw(key.cast), "subjects": f"subjects_{key.kind}",
        "order": Raw(in_order(model)), "table": table, "events": Placed(events),
        "column": Raw(sql.Identifier(table, key.column).as_string()), "wanted": Raw(wanted),
        "identity": Raw(identity_now(model, names) if readable else "NULL::bytea"),
        "alone": Raw("true" if not names and is_key_alone(model) else "NULL::boolean"),
        "differs": Placed(_differs(model, names)),
    }  # fmt: skip
    return statement(__file__, "returned", **parts)


def older(row: str, event: dict[str, str]) -> str:
    """SQL: whether what has the number `row` was written before an event, of which SQL is given."""
    known = Placed(statement(__file__, "known", **{name: Raw(of) for name, of in event.items()}))
    return statement(__file__, "older", row=Raw(row), known=known)


def _differs(model: type[Model], names: str) -> str:
    """SQL: what another identity says: false, it is another row; NULL, nothing."""
    if is_whole(names) or retyped(model, names):
        return "NULL"
    table = sql.Identifier(tables_of(model)[0]).as_string()
    parts = {
        "place": Raw(literal(table)), "columns": Raw(literal(columns_of(model, names))),
        "known": Placed(statement(__file__, "known", **{k: Raw(v) for k, v in EVENT.items()})),
        "older": Placed(older("lc_column.xmin::text::bigint", EVENT)),
    }  # fmt: skip
    altered = statement(__file__, "altered", **parts)
    return f"CASE WHEN {altered} THEN NULL ELSE false END"
