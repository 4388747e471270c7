"""Rows that are back on purpose: out of a backup, an archive, another system."""

from collections.abc import Iterator
from typing import Any

from django.db import transaction
from django.db.models import Model, QuerySet
from psycopg import sql
from psycopg.types.json import Jsonb

from lifecycle.compiler.keys import key_of, key_text, label_of, subjects_of
from lifecycle.db.connection import Placed, fetch, statement
from lifecycle.db.rows import home_of
from lifecycle.exceptions import NoPolicy, RowMissing
from lifecycle.ledger.row_names import named
from lifecycle.ledger.write import refuse_singly
from lifecycle.phrases import phrase
from lifecycle.policy.registry import policies_of

CHUNK = 10_000  # rows; no event lists more


def loaded(rows: Model | QuerySet[Any]) -> int:
    """Record that rows are back on purpose; returns how many. A transaction for 10,000 rows.

    Replay leaves them alone: for the ledger they begin a new life. Their policies look at them at
    once, also at rows that came past the triggers; one that is past its end is ended again, after
    a grace of its own. To keep it, `restore()` it. Rows that are not there are left out; a single
    one raises `RowMissing`.
    """
    model: Any = rows.model if isinstance(rows, QuerySet) else type(rows)
    if not policies_of(model):
        raise NoPolicy(phrase("%(model)s has no policy.", model=model._meta.label))
    using = rows.db if isinstance(rows, QuerySet) else home_of(rows)
    total = 0
    for keys in _chunks(rows, model):
        with transaction.atomic(using=using):
            total += record(model, keys, using)
    if not total and isinstance(rows, Model):
        raise RowMissing(phrase("%(row)s is not in the database.", row=named(rows)))
    return total


def _chunks(rows: Model | QuerySet[Any], model: Any) -> Iterator[list[str]]:
    """The keys as text, in order."""
    if isinstance(rows, Model):
        yield [key_text(model, rows.pk)]
        return
    last, ordered = None, rows.order_by("pk").values_list("pk", flat=True)
    while keys := list((ordered.filter(pk__gt=last) if last is not None else ordered)[:CHUNK]):
        yield [key_text(model, key) for key in keys]
        last = keys[-1]


def record(model: Any, keys: list[str], using: str, archive: str = "") -> int:
    """As `loaded`, of rows by their keys, in the caller's transaction; nothing without a policy.

    Locks the rows, so that no purge passes, and writes one event for each policy. It names the
    archive that the rows are from.
    """
    refuse_singly(model)
    there = lock_keys(model, keys, using)
    if not there:
        return 0
    key = key_of(model)
    subjects = subjects_of(key, f"%(keys)s::text[]::{key.kind}[]")
    text = statement(__file__, "loaded", subjects=Placed(subjects))
    detail = {"again": True} | ({"archive": archive} if archive else {})
    for policy in policies_of(model):
        params = {"policy": policy.name, "model": label_of(policy), "count": len(there)}
        fetch(using, text, params | {"keys": there, "detail": Jsonb(detail)})
    return len(there)


def lock_keys(model: Any, keys: list[str], using: str) -> list[str]:
    """Lock the rows of these keys, in their order; the keys of those that are there."""
    key = key_of(model)
    own = key.text(sql.Identifier(key.column).as_string())
    parts = {"key": Placed(own), "type": Placed(key.cast), "pk": key.column}
    table = model._meta.concrete_model._meta.db_table
    text = statement(__file__, "lock_rows", table=table, **parts)
    return [row[0] for row in fetch(using, text, {"keys": keys})]
