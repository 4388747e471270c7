"""What goes along with rows, found and locked in sets; no row is read.

As Django's collector does it, table by table: the rows that refer to locked rows are locked, asked
whether they may go, and asked in turn who refers to them. A row that is locked keeps what it refers
to, and nothing new can refer to it: what was found is what goes. The keys of rows between two
tables stay one text in PostgreSQL's form of an array; rows that nothing refers to have no keys here
at all, only the condition that names them. A host that has one of them is never waited for.

What the database takes along by itself (see `ties`) comes after what Django does: nobody collects
those rows, so no `on_delete` of Django's is asked for them.
"""

from collections import Counter
from collections.abc import Iterator
from graphlib import TopologicalSorter
from typing import Any

from django.db.models import Q
from django.db.models.deletion import ProtectedError, RestrictedError

from lifecycle.db.connection import scalar
from lifecycle.db.rows import every_row
from purge.batch.cascade.blockers import CascadeBlockers, named
from purge.batch.cascade.relations import (
    GOES,
    NO_KEYS,
    PROTECTS,
    RESTRICTS,
    Edge,
    key_array,
    links,
    tree,
)
from purge.batch.cascade.row_locks import RowLocks, joined
from purge.batch.cascade.ties import Tied, is_stand_in, tied
from purge.batch.state import Batch
from purge.batch.subjects import Subjects


class CascadeSets:
    """The rows that go along with locked rows of `model`, and those that stay with a changed link.

    counts     how many rows of each model go along; of `model` itself, how many further ones
    unlinked   how many of each model stay, their link changed
    changes    those, with the relation whose link it is
    keys       of the rows between two tables, as one array for each model
    collected  those of them that Django takes along
    fallen     those that only the database does
    ends       the conditions of the rows that nothing refers to
    unlocked   models whose rows are locked only by their DELETE
    before     which model's rows go before which others'
    """

    def __init__(
        self, batch: Batch, model: Any, edges: dict[Any, list[Edge]], ties: dict[Any, list[Tied]]
    ) -> None:
        self.batch, self.model, self.edges, self.ties = batch, model, edges, ties
        self.counts: Counter[Any] = Counter()
        self.unlinked: Counter[Any] = Counter()
        self._roots: Any = NO_KEYS
        self.keys: dict[Any, Any] = {}
        self.collected: dict[Any, Any] = {}
        self.fallen: dict[Any, Any] = {}
        self.ends: dict[Any, Q] = {}
        self._collected_ends: dict[Any, Q] = {}
        self.unlocked: list[Any] = []
        self.changes: list[tuple[Edge, Any]] = []
        self.before: TopologicalSorter[Any] = TopologicalSorter()
        self.blockers = CascadeBlockers(batch)
        self._locks = RowLocks(batch)

    def find(self, subjects: Subjects) -> None:
        """Lock everything; raises what says that a row cannot go, or that they are too many."""
        most = self.batch.most if subjects.count > 1 else None
        self._locks.room = None if most is None else most - subjects.count
        self._roots = self._keys_of(subjects)
        self._find_between()
        self.collected = dict(self.keys)
        self._find_tied()
        self._find_others()

    def find_tied(self, roots: Any, collected: dict[Any, Any], room: int | None) -> None:
        """The same below rows that Django's collector has found, which are locked."""
        self._locks.room, self._roots = room, roots
        self.keys, self.collected = dict(collected), dict(collected)
        self._find_tied()
        self._find_others()

    def _keys_of(self, subjects: Subjects) -> str:
        """The keys of locked rows, which are there."""
        if subjects.keys is not None and subjects.key.kind != "text":
            return subjects.keys
        text = self.batch.sql(__file__, "locked_array", rows=subjects.where(self.batch.column))
        return str(scalar(self.batch.using, text, self.batch.params(subjects)))

    def rows(self, model: Any) -> Any:
        """The rows of a model that go along, as long as they are there."""
        if model in self.ends:
            return self._base(model).filter(self.ends[model])
        return self._among(model, self.keys[model])

    def _find_between(self) -> None:
        """Rows that others may refer to."""
        waiting = [(self.model, self._roots)]
        while waiting:
            model, keys = waiting.pop(0)
            for parent, link in links(model):
                values = self._among(model, keys).values(link.attname)
                self.before.add(parent, model)
                self._take(parent, Q(pk__in=values), cascaded=keys is not self._roots)
            for edge in self.edges[model]:
                if edge.action == GOES and not self._is_end(edge.model):
                    if edge.model is not model:
                        self.before.add(model, edge.model)
                    if found := self._take(edge.model, edge.refers(model, keys, self.batch.using)):
                        waiting.append((edge.model, found))

    def _find_tied(self) -> None:
        """The same, of rows that only the database takes along."""
        waiting = [(*each, False) for each in self._all_collected()]
        while waiting:
            model, keys, fell = waiting.pop(0)
            for tie in self._ties(model, fell):
                if tie.action == GOES and not self._is_end(tie.model):
                    if tie.model is not model:
                        self.before.add(model, tie.model)
                    if found := self._take(tie.model, tie.refers(model, keys, self.batch.using)):
                        before = self.fallen.get(tie.model, NO_KEYS)
                        self.fallen[tie.model] = joined(before, found)
                        waiting.append((tie.model, found, True))

    def _all_collected(self) -> list[tuple[Any, Any]]:
        """The roots and what Django takes along, by model."""
        models = {self.model: None, **self.collected}
        return [(model, self._with_roots(model, self.collected)) for model in models]

    def _ties(self, model: Any, fell: bool) -> list[Tied]:
        """The ties that act on what refers to rows: those that fell, or that Django collects."""
        return [tie for tie in self.ties.get(model, ()) if fell or not tie.is_djangos]

    def _refers(self) -> Iterator[tuple[Edge | Tied, Q]]:
        """Every relation to rows that go, with the condition of the rows that refer to them."""
        for model, keys in self._all_collected():
            for edge in (*self.edges.get(model, ()), *self._ties(model, fell=False)):
                yield edge, edge.refers(model, keys, self.batch.using)
        for model, keys in self.fallen.items():
            for tie in self._ties(model, fell=True):
                yield tie, tie.refers(model, keys, self.batch.using)

    def _find_others(self) -> None:
        """Rows that nothing refers to, and those that stay or stand in the way."""
        refers = list(self._refers())
        for edge, condition in refers:
            if edge.action == PROTECTS:
                _refuse(ProtectedError, edge.model, self._base(edge.model).filter(condition))
            elif edge.action == GOES and self._is_end(edge.model):
                self._add_end(edge, condition)
        for model in self.ends:
            self._find_end(model)
        for edge, condition in refers:
            rows = self._staying(edge, condition)
            if edge.action == RESTRICTS:
                _refuse(RestrictedError, edge.model, rows)
            elif edge.action not in (GOES, PROTECTS):
                self._change(edge, rows)

    def _add_end(self, edge: Edge | Tied, condition: Q) -> None:
        for ends in (self.ends, self._collected_ends)[: 1 if isinstance(edge, Tied) else 2]:
            before = ends.get(edge.model)
            ends[edge.model] = before | condition if before else condition

    def _find_end(self, model: Any) -> None:
        """Rows at which nobody looks are locked by their own DELETE, and asked about after it."""
        rows, may_block = self.rows(model), self.blockers.may_block(model)
        if is_stand_in(model) or not (may_block or self.batch.erasure):
            self.unlocked.append(model)
            self._count(model, self._locks.seen(rows))
            self.blockers.refuse_written(model, rows)  # of a stand-in, which others may still write
        elif self._count(model, self._locks.locked(rows)):
            self.blockers.refuse(model, rows)

    def _change(self, edge: Edge | Tied, rows: Any) -> None:
        if is_stand_in(edge.model):
            return  # nobody may look at it, and it stays
        count = self._locks.locked(rows, stay=True)
        if count:
            self._locks.spend(count)
            self.unlinked[edge.model] += count
            if isinstance(edge, Edge):
                self.changes.append((edge, rows))

    def _is_end(self, model: Any) -> bool:
        between = self.edges.get(model) or self.ties.get(model) or links(model)
        return not between and model not in self.collected

    def _with_roots(self, model: Any, keys: dict[Any, Any]) -> Any:
        return joined(self._roots if model is self.model else NO_KEYS, keys.get(model, NO_KEYS))

    def _take(self, model: Any, condition: Q, cascaded: bool = True) -> Any:
        """Lock rows that are not known yet, and keep their keys; returns these."""
        known = self._with_roots(model, self.keys)
        rows = self._base(model).filter(condition).exclude(pk__in=key_array(model, known))
        count, keys = self._locks.keys(rows)
        if not count:
            return None
        self.keys[model] = joined(self.keys.get(model, NO_KEYS), keys)
        if cascaded:
            self._count(model, count)
        self.blockers.refuse(model, self._among(model, keys))
        return keys

    def _count(self, model: Any, count: int) -> int:
        self.counts[model] += count
        self._locks.spend(count)
        return count

    def _staying(self, edge: Edge | Tied, condition: Q) -> Any:
        """Rows that refer to what goes and do not go themselves; to Django, that it collects."""
        model, (known, ends) = edge.model, (self.keys, self.ends)
        if edge.action == RESTRICTS:
            known, ends = self.collected, self._collected_ends
        rows = self._base(model).filter(condition)
        if model is self.model or model in known:
            return rows.exclude(pk__in=key_array(model, self._with_roots(model, known)))
        if model not in ends:
            return rows
        return rows.exclude(pk__in=self._base(model).filter(ends[model]).values("pk"))

    def _among(self, model: Any, keys: Any) -> Any:
        return self._base(model).filter(pk__in=key_array(model, keys))

    def _base(self, model: Any) -> Any:
        return every_row(model, self.batch.using)


def find_cascade(batch: Batch, model: Any, subjects: Subjects) -> CascadeSets | None:
    """Find and lock what goes along with locked rows; None where only Django's collector can."""
    edges = tree(model)
    if edges is None:
        return None
    found = CascadeSets(batch, model, edges, tied(batch, model))
    found.find(subjects)
    return found


def _refuse(error: Any, model: Any, rows: Any) -> None:
    if found := named(model, rows):
        raise error("rows refer to it", set(found))
