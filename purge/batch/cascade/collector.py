"""What goes along with rows that Django's collector deletes, locked before it goes.

The collector deletes what it has read, also what has changed since: a child that was moved to
another parent in between. So what it finds is locked, and read again until nothing has changed.
"""

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Manager, Q, QuerySet
from django.db.models.deletion import Collector, get_candidate_relations_to_delete

from lifecycle.db.rows import every_row
from purge.batch.cascade.blockers import CascadeBlockers
from purge.batch.cascade.python_keys import among, array_of, selected
from purge.batch.cascade.relations import generic, is_heard, links
from purge.batch.cascade.sets import CascadeSets
from purge.batch.cascade.ties import tied
from purge.batch.state import Batch
from purge.exceptions import TooMany


class ArrayCollector(Collector):
    """Django's collector, asking for related rows by one array instead of a parameter a row.

    It asks the table, not the base manager, which may hide rows.
    """

    def related_objects(self, related_model: Any, related_fields: Any, objs: Any) -> Any:
        keys: Any = objs
        if all(f.primary_key for field in related_fields for f in field.foreign_related_fields):
            keys = among(type(objs[0]), [each.pk for each in objs])
        named: Any = [(f"{field.name}__in", keys) for field in related_fields]
        rows = every_row(related_model, self.using)
        return rows.filter(Q.create(named, connector=Q.OR))

    def collect_hidden(self) -> None:
        """Collect what generic relations have left out, for they ask the base manager."""
        done: set[Any] = set()
        while (
            todo := {(m, f, len(rows)) for m, rows in self.data.items() for f in _hiding(m)} - done
        ):
            done |= todo
            for model, field, _ in todo:
                keys = [row.pk for row in self.data[model]]
                rows = every_row(field.remote_field.model, self.using)
                rows = rows.filter(generic(field, keys, self.using))
                self.collect(rows, source=model, nullable=True)


@dataclass(frozen=True)
class Collected:
    """What goes with rows: a collector that holds it, and its keys by model.

    `own` are further rows of the same table. The parents' part of a row is not counted: it is the
    row. `tied` are the rows that the database takes along with all these.
    """

    collector: Collector
    keys: list[Any]
    own: list[Any]
    cascaded: dict[Any, list[Any]]
    parts: dict[Any, list[Any]]  # of the roots, in their parents' tables
    tied: CascadeSets | None = None

    @property
    def counts(self) -> Counter[Any]:
        """How many rows of each model go along."""
        own = Counter({model: len(keys) for model, keys in self.cascaded.items()})
        return own + self.tied.counts if self.tied else own

    @property
    def unlinked(self) -> Counter[Any]:
        """How many of each model stay, their link changed."""
        counts: Counter[Any] = Counter(self.tied.unlinked if self.tied else ())
        for (field, _), parts in self.collector.field_updates.items():
            for rows in parts:
                counts[field.model] += _size(rows)
        return counts

    def rows(self, model: Any) -> Any:
        """The rows of a model that go along."""
        rows = every_row(model, self.collector.using)
        own = rows.filter(pk__in=among(model, self.cascaded.get(model, [])))
        return own | self.tied.rows(model) if self.tied and self.tied.counts[model] else own


def collect(batch: Batch, model: Any, keys: list[Any]) -> Collected:
    """Collect over locked rows; everything that goes along is locked, and may go."""
    before: dict[Any, set[Any]] = {model: set()}
    blockers = CascadeBlockers(batch)
    while True:
        collector = ArrayCollector(using=batch.using)
        collector.collect(_instances(batch, model, keys))
        collector.collect_hidden()
        below = _read(collector)
        below[model] = below[model] - set(keys)
        for child, own in below.items():
            rows = every_row(child, batch.using).filter(pk__in=among(child, own))
            _refuse(blockers, child, _locked(batch, rows))
        if below == before:
            break
        before = below
    for rows in collector.fast_deletes:
        found = _locked(batch, rows)
        _refuse(blockers, rows.model, found)
        below[rows.model] = below.get(rows.model, set()) | found
    parts: dict[Any, set[Any]] = {}
    for parent in model._meta.get_parent_list():
        parts[parent] = {getattr(row, parent._meta.pk.attname) for row in collector.data[model]}
        below[parent] = below.get(parent, set()) - parts[parent]
    cascaded = {child: list(found) for child, found in below.items() if found}
    _refuse_many(batch, keys, cascaded)
    own_parts = {parent: list(found) for parent, found in parts.items()}
    return Collected(collector, keys, list(below[model]), cascaded, own_parts)


def with_tied(batch: Batch, found: Collected, model: Any) -> Collected:
    """What was collected, with what the database takes along: locked, and none of it blocked."""
    ties = tied(batch, model)
    if not ties:
        return found
    below, most = CascadeSets(batch, model, {}, ties), batch.most if len(found.keys) > 1 else None
    gone = {child: [*keys] for child, keys in found.cascaded.items()}
    for parent, keys in found.parts.items():
        gone[parent] = [*gone.get(parent, ()), *keys]
    room = None if most is None else most - len(found.keys) - sum(map(len, found.cascaded.values()))
    arrays = {child: array_of(child, keys) for child, keys in gone.items()}
    below.find_tied(array_of(model, found.keys), arrays, room)
    return replace(found, tied=below)


def _hiding(model: Any) -> list[Any]:
    """The generic relations of a model to one whose base manager may hide rows."""
    generic_ones = [f for f in model._meta.private_fields if hasattr(f, "bulk_related_objects")]
    plain = Manager.get_queryset
    return [
        field
        for field in generic_ones
        if type(field.remote_field.model._base_manager).get_queryset is not plain
    ]


def _refuse(blockers: CascadeBlockers, child: Any, keys: set[Any]) -> None:
    if keys:
        rows = every_row(child, blockers.batch.using)
        blockers.refuse(child, rows.filter(pk__in=among(child, keys)))


def _refuse_many(batch: Batch, keys: list[Any], cascaded: dict[Any, list[Any]]) -> None:
    count = len(keys) + sum(map(len, cascaded.values()))
    if batch.most is not None and count > batch.most and len(keys) > 1:
        raise TooMany


def _size(rows: Any) -> int:
    return rows.count() if isinstance(rows, QuerySet) else len(rows)


def _read(collector: Collector) -> dict[Any, set[Any]]:
    """The keys of the rows that the collector has read, by model."""
    return {child: {each.pk for each in rows} for child, rows in collector.data.items()}


def _instances(batch: Batch, model: Any, keys: list[Any]) -> list[Any]:
    """The rows as the collector wants them: without their values where nobody looks at those.

    A row may hold a date that Python cannot; it ends all the same.
    """
    if _is_looked_at(model):
        return list(every_row(model, batch.using).filter(pk__in=among(model, keys)))
    return [_bare(model, key, batch.using) for key in keys]


def _is_looked_at(model: Any) -> bool:
    """Whether receivers, relations to other columns or parents with other keys want values."""
    models = (model, *model._meta.get_parent_list())
    if any(map(is_heard, models)) or not all(link.primary_key for _, link in links(model)):
        return True
    relations: list[Any] = [r for m in models for r in get_candidate_relations_to_delete(m._meta)]
    return not all(f.primary_key for r in relations for f in r.field.foreign_related_fields)


def _bare(model: Any, key: Any, using: str) -> Any:
    row = model(pk=key)
    for parent in model._meta.get_parent_list():
        setattr(row, parent._meta.pk.attname, key)
    row._state.db, row._state.adding = using, False
    return row


def _locked(batch: Batch, rows: Any) -> set[Any]:
    """The keys of the rows, which are locked now."""
    # A host may hold a child and wait for its parent, which is ours: it must not find us waiting.
    locking = rows.order_by("pk").select_for_update(of=("self",), nowait=not batch.patient)
    keys = selected(locking)
    return set(keys if rows.model._meta.is_composite_pk else [key for (key,) in keys])
