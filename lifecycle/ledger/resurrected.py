"""Rows that are in their table although the ledger says that they ended: found, not yet judged.

Ledger first, then one look into the table's key for each key that ended: what it costs grows with
the ledger, not with the table. A row that has the identity of an ending is that row; one that has
another is a newer one under an old key. Of whole rows only the former is told.
"""

from typing import Any

from django.apps import apps
from django.db.models import Model
from psycopg import sql

from lifecycle.compiler.identity import identity_sql, in_order, is_key_alone, is_whole
from lifecycle.compiler.keys import key_of
from lifecycle.compiler.policy_sql import tables_of
from lifecycle.db.connection import Placed, Raw, fetch, statement

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


def search(model: type[Model], names: str, events: str, wanted: str = "true") -> str:
    """SQL: `event`, `key`, `identity`, `same`, `older` of each row that is there under their keys.

    `events` is a condition on `event`, the ledger's events; `wanted` one on the row. `same` is NULL
    where no identity tells, as of a whole row that is not as it ended. `older`: written before the
    event, by the numbers of the transactions.
    """
    key = key_of(model)
    table = tables_of(model)[0]
    parts: dict[str, Any] = {
        "kind": Raw(key.kind), "type": Raw(key.cast), "subjects": f"subjects_{key.kind}",
        "order": Raw(in_order(model)), "table": table, "events": Placed(events),
        "column": Raw(sql.Identifier(table, key.column).as_string()), "wanted": Raw(wanted),
        "identity": Raw(identity_now(model, names)),
        "alone": Raw("true" if not names and is_key_alone(model) else "NULL::boolean"),
        "differs": Raw("NULL" if is_whole(names) else "false"),
    }  # fmt: skip
    return statement(__file__, "returned", **parts)
