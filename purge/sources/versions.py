"""Whether rows are as they were when somebody looked at them: told by the versions of their tuples.

A version is the transaction that wrote the row and the place where it stands, of the row itself and
of its parents' rows. Whatever writes the row gives it another one, and so has another row that has
come to the same key. Where versions cannot be believed any more, after a restart of the server, all
rows count as changed.
"""

from typing import Any, NamedTuple

from django.db.models import Model
from psycopg import sql

from lifecycle.compiler.keys import key_of
from lifecycle.db.connection import Placed, fetch, scalar, statement
from lifecycle.db.sql import literal
from lifecycle.exceptions import LifecycleError
from purge.batch.cascade.ties import tables_reached
from purge.batch.cascade.written import Epoch

MOST_RUNNING = 100_000  # numbers of transactions that are looked at one by one


class Classified(NamedTuple):
    """Keys of rows that are as they were, and of rows that are gone."""

    same: set[str]
    gone: set[str]


def version_of(model: Any) -> str:
    """SQL: the version of a row, in the model's table and its parents'; `%` is doubled."""
    table = model._meta.db_table
    texts = [f"{_name(table, each)}::text" for each in ("xmin", "ctid", "tableoid")]
    for parent, link in model._meta.parents.items():
        if link is not None:
            key, own = _name(parent._meta.db_table, parent._meta.pk.column), link.column
            texts.append(
                f"(SELECT {version_of(parent)} FROM {_name(parent._meta.db_table)}"  # noqa: S608
                f" WHERE {key} = {_name(table, own)})"
            )
    return f"concat_ws(' ', {', '.join(texts)})"


def refuse_untold(model: Any, using: str, ends: bool = False) -> None:
    """Raise `LifecycleError` where the versions of rows do not tell whether they were changed; of
    rows that are to end, also of those that go along."""
    tables = [each._meta.db_table for each in (model, *model._meta.get_parent_list())]
    tables += tables_reached(model) if ends else []
    if not scalar(using, statement(__file__, "tells"), {"tables": tables}):
        raise LifecycleError(
            f"Whether a row of {model._meta.label} has changed cannot be told: its table, or one of"
            " rows that go along, is not one that PostgreSQL itself stores."
        )


def epoch_of(model: Any, using: str) -> Epoch:
    """The epoch of versions that are read from the next statement on.

    Where some transaction began very many others ago, those since then all count as under way.
    """
    name, since = fetch(using, _epoch(model))[0]
    params = {"since": since, "most": MOST_RUNNING}
    oldest, running = fetch(using, statement(__file__, "running"), params)[0]
    return Epoch(name, since, tuple(running)) if running is not None else Epoch(name, oldest)


def lock(model: type[Model], using: str, keys: list[str]) -> set[str]:
    """Lock rows by their keys, in key order, as an UPDATE would; the keys that are there."""
    found = fetch(using, statement(__file__, "lock", **_parts(model)), {"keys": keys})
    return {key for (key,) in found}


def classify(
    model: type[Model], using: str, keys: list[str], versions: list[str], epoch: Epoch
) -> Classified:
    """Which rows are as they were. Asked after they were locked: later is too late."""
    own: Any = model._meta.concrete_model
    parts = {"version": Placed(version_of(own)), "epoch_now": Placed(_epoch(own))}
    text = statement(__file__, "classify", **_parts(own), **parts)
    params = {"keys": keys, "versions": versions, "epoch": epoch.name, "since": epoch.since}
    same, gone = fetch(using, text, params)[0]
    return Classified(set(same or ()), set(gone or ()))


def _parts(model: type[Model]) -> dict[str, Any]:
    """What fills a statement about rows of a model by their keys."""
    own: Any = model._meta.concrete_model
    key = key_of(own)
    column = _name(own._meta.db_table, key.column)
    cast = f"::{key.cast}[]" if key.kind == "text" else ""
    given = f"(SELECT %(keys)s::text[])::{key.kind}[]{cast}"
    parts = {"key": Placed(key.text(column)), "column": Placed(column), "given": Placed(given)}
    return parts | {"table": own._meta.db_table}


def _epoch(model: Any) -> str:
    table = literal(sql.Identifier(model._meta.db_table).as_string()).replace("%", "%%")
    return statement(__file__, "epoch", table=Placed(table))


def _name(*parts: str) -> str:
    return sql.Identifier(*parts).as_string().replace("%", "%%")
