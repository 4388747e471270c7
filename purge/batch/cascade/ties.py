"""Ties of the database seen from a batch: which rows go along, or stay changed, without Django.

A tie acts on rows that Django leaves alone: DB_CASCADE, DO_NOTHING, no relation at all. Where rows
went by a tie themselves Django's `on_delete` is nobody's: nobody has collected them, and only the
ties to them act. A table without a model has a stand-in, by which its rows are counted, and looked
through for what is tied to them.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from django.apps.registry import Apps
from django.db import connections, models
from django.db.models import Exists, OuterRef, Q
from django.db.models.deletion import get_candidate_relations_to_delete
from django.db.models.expressions import Col, RawSQL

from lifecycle.compiler.keys import key_of
from lifecycle.db.connection import Query
from lifecycle.db.rows import every_row
from lifecycle.db.ties import SKIPPED, Tie, any_tie, models_by_table, table_of, ties
from purge.batch.cascade.relations import GOES, STAYS, key_array, tree
from purge.exceptions import TiedMeanwhile

if TYPE_CHECKING:
    from purge.batch.state import Batch

_tieless: set[tuple[str, Any]] = (
    set()
)  # what this process has last found without ties: database, model

STAND_INS = "database"  # the app of models that stand for tables without one


@dataclass(frozen=True)
class Tied:
    """A tie as an edge: the model whose rows refer, and what becomes of them.

    `is_djangos`: whether Django sees to the same relation before the database could.
    """

    tie: Tie
    model: Any
    is_djangos: bool

    @property
    def action(self) -> str:
        """Whether the rows go or stay."""
        return GOES if self.tie.deletes else STAYS

    def refers(self, upper: Any, keys: Any, using: str) -> Q:
        """The condition of the rows that refer to those rows of `upper`."""
        lower, own = _fields(self.model, self.tie.columns), _fields(upper, self.tie.keys)
        if None in lower + own:
            return Q(pk__in=_unmapped(self.model, upper, self.tie, keys, using))
        if len(lower) == 1 and own[0].primary_key:
            return Q(**{f"{lower[0].name}__in": key_array(upper, keys)})
        same = {o.name: OuterRef(low.attname) for o, low in zip(own, lower, strict=True)}
        rows = every_row(upper, using).filter(pk__in=key_array(upper, keys))
        return Q(Exists(rows.filter(**same)))


def tied(batch: "Batch", model: Any) -> dict[Any, list[Tied]]:
    """The ties that may act when rows of the model go, by the model that they refer to."""
    if model not in batch.ties:
        batch.ties[model] = _known(batch.using, model)
    return _by_model(batch.ties[model]) if batch.ties[model] else {}


def recall(batch: "Batch", model: Any) -> None:
    """Begin with what the last batch found, where that was no tie: `refuse_new` asks anyway."""
    if (batch.using, model) in _tieless:
        batch.ties[model] = []


def ask_new(batch: "Batch", model: Any) -> Query:
    """Whether any tie may act when rows of the model go: the question for `refuse_new`.

    Our DELETE has its lock on the tables: no tie comes after it before the batch has committed.
    """
    return any_tie(batch.using, tables_reached(model))


def refuse_new(batch: "Batch", model: Any, is_any: bool) -> None:
    """Raise where a tie has come since, also to rows that have gone; tried again it is known."""
    before = batch.ties.pop(model, None)
    if before is None:
        return
    known = _known(batch.using, model) if is_any else []
    (_tieless.discard if known else _tieless.add)((batch.using, model))
    if before != known:
        raise TiedMeanwhile


def is_stand_in(model: Any) -> bool:
    """Whether a model stands for a table that has none: its rows are left to the database."""
    return getattr(model, "stands_in", False)


def _known(using: str, model: Any) -> list[Tie]:
    return ties(using, tables_reached(model))


@cache
def tables_reached(model: Any) -> list[str]:
    """The tables of which Django may delete rows when rows of the model go; found once."""
    return sorted({table_of(each) for each in reached(model)})


def reached(model: Any) -> Iterator[Any]:
    """The models of which Django may delete rows, so that ties to them act."""
    found = tree(model)
    for each in _closure(model) if found is None else [model, *found]:
        yield each._meta.concrete_model
        yield from each._meta.get_parent_list()


def _closure(model: Any) -> Iterable[Any]:
    """The same where only Django's collector knows: whatever is related."""
    seen, fresh = {model}, [model]
    while fresh:
        meta = fresh.pop()._meta
        relations: Any = get_candidate_relations_to_delete(meta)
        near = {each.related_model for each in relations} | set(meta.get_parent_list())
        near |= {f.related_model for f in meta.private_fields if hasattr(f, "bulk_related_objects")}
        fresh += near - seen
        seen |= near
    return seen


def _by_model(known: list[Tie]) -> dict[Any, list[Tied]]:
    """Ties to models or stand-ins; a table that is closed is left out, where none leads on."""
    site = models_by_table()
    found: dict[Any, list[Tied]] = {}
    uppers = {tie.upper for tie in known}
    for tie in known:
        if tie.table in site or tie.is_open or tie.table in uppers:
            upper, lower = (_model(site, table, known) for table in (tie.upper, tie.table))
            is_djangos = tie.on_delete not in (None, *SKIPPED)
            found.setdefault(upper, []).append(Tied(tie, lower, is_djangos))
    return found


def _model(site: dict[str, Any], table: str, known: list[Tie]) -> Any:
    columns = {name for tie in known if tie.table == table for name in tie.columns}
    columns |= {name for tie in known if tie.upper == table for name in tie.keys}
    return site.get(table) or _stand_in(table, tuple(sorted(columns)))


class _RowId(models.TextField):
    """Where a row is, in which partition too: it stays there while it is locked."""

    def db_type(self, connection: Any) -> str:
        return "text"

    def get_col(self, alias: str, output_field: Any = None) -> Col:
        return _Place(alias, self, output_field)


class _Place(Col):
    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[()]]:
        # Which of the two a compiler has: Django 6.1 quotes aliases too.
        quote = getattr(compiler, "quote_name", None) or compiler.quote_name_unless_alias
        return _place(quote(self.alias)), ()


def _place(table: str) -> str:
    return f"({table}.tableoid::text || {table}.ctid::text)"


@cache
def _stand_in(table: str, columns: tuple[str, ...]) -> Any:
    """A model of a table of which nothing is known but these columns."""
    options = {"app_label": STAND_INS, "apps": Apps(), "managed": False}
    options["db_table"] = table.replace("%", "%%")  # Django leaves that to whoever names a table
    parts: dict[str, Any] = {
        f"column_{number}": models.TextField(db_column=name.replace("%", "%%"))
        for number, name in enumerate(columns)
    }
    parts |= {"row": _RowId(primary_key=True, db_column="ctid"), "stands_in": True}
    parts |= {"Meta": type("Meta", (), options), "__module__": __name__}
    return type("StandIn", (models.Model,), parts)


def _fields(model: Any, columns: tuple[str, ...]) -> list[Any]:
    """The fields of the model's own table by their columns; None for a column that has none."""
    own = {
        str(field.column).replace("%%", "%"): field for field in model._meta.local_concrete_fields
    }
    return [own.get(column) for column in columns]


def _key(alias: str, model: Any, quote: Any) -> str:
    return _place(alias) if is_stand_in(model) else f"{alias}.{quote(key_of(model).column)}"


def _unmapped(model: Any, upper: Any, tie: Tie, keys: Any, using: str) -> RawSQL:
    """Keys of the rows that refer by columns which a model does not have."""
    quote = connections[using].ops.quote_name
    pairs = [f"low.{quote(a)} = up.{quote(b)}" for a, b in zip(tie.columns, tie.keys, strict=True)]
    above = key_of(upper)
    text = (
        f"SELECT {_key('low', model, quote)} FROM {quote(tie.table)} AS low"  # noqa: S608
        f" JOIN {quote(tie.upper)} AS up ON {' AND '.join(pairs)}"
        f" WHERE {_key('up', upper, quote)} IN (SELECT unnest("
    )
    return RawSQL(f"{text.replace('%', '%%')}%s::{above.cast}[]))", [keys])  # noqa: S611
