"""What goes along with rows, found, locked and deleted in sets; no row is read.

As Django's collector does it, table by table: the rows that refer to locked rows are locked, asked
whether they may go, and asked in turn who refers to them. A row that is locked keeps what it refers
to, and nothing new can refer to it: what was found is what goes. The keys of rows between two
tables stay one text in PostgreSQL's form of an array; rows that nothing refers to have no keys here
at all, only the condition that names them. A host that has one of them is never waited for.
"""

from collections import Counter
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any

from django.db import connections
from django.db.models import Q
from django.db.models.deletion import ProtectedError, RestrictedError

from lifecycle.db import scalar

from .barred import Barred, named
from .edges import GOES, PROTECTS, RESTRICTS, Edge, is_heard, keys_in, links, tree
from .errors import TooMany
from .subjects import Subjects

if TYPE_CHECKING:
    from .batch import Batch

COUNT = "SELECT count(*) FROM ({}) AS locked"
KEYS = "SELECT count(*), array_agg(key)::text FROM ({}) AS locked (key)"


class Below:
    """The rows that go along with locked rows of `model`, and those that stay with a changed link.

    counts     how many rows of each model go along; of `model` itself, how many further ones
    unlinked   how many of each model stay, their link changed
    """

    def __init__(self, batch: "Batch", model: Any, edges: dict[Any, list[Edge]]) -> None:
        self.batch, self.model, self.edges = batch, model, edges
        self.counts: Counter[Any] = Counter()
        self.unlinked: Counter[Any] = Counter()
        self._roots = "{}"
        self._keys: dict[Any, str] = {}
        self._ends: dict[Any, Q] = {}
        self._changes: list[tuple[Edge, Any]] = []
        self._before: TopologicalSorter[Any] = TopologicalSorter()
        self._barred = Barred(batch)
        self._room: int | None = None

    def find(self, subjects: Subjects) -> None:
        """Lock everything; raises what says that a row cannot go, or that they are too many."""
        most = self.batch.most if subjects.count > 1 else None
        self._room = None if most is None else most - subjects.count
        rows = subjects.where(self.batch.column)
        text = self.batch.sql("locked_array", rows=rows)
        self._roots = scalar(self.batch.using, text, self.batch.params(subjects))
        self._find_between()
        self._find_others()

    def rows(self, model: Any) -> Any:
        """The rows of a model that go along, as long as they are there."""
        if model in self._ends:
            return self._base(model).filter(self._ends[model])
        return self._among(model, self._keys[model])

    def delete(self) -> None:
        """Change the links of rows that stay, then delete the others, those below first.

        What is left are the roots, and of a child table the parents' part of the roots.
        """
        self._change_links()
        for model in self.in_order:
            self.rows(model)._raw_delete(using=self.batch.using)

    def is_heard(self, *signals: Any) -> bool:
        """Whether receivers want to see rows of which some may go along, or the roots."""
        models = {self.model, *self.model._meta.get_parent_list(), *self.edges, *self._keys}
        return any(is_heard(model, *signals) for model in models)

    def delete_unheard(self) -> None:
        """The same of rows that nobody wants to see, also not those below them."""
        self._change_links()
        heard: set[Any] = set()
        for model in self.in_order:
            if is_heard(model) or any(each.model in heard for each in self.edges.get(model, ())):
                heard.add(model)
            elif model is not self.model and not links(model):
                self.rows(model)._raw_delete(using=self.batch.using)

    def _change_links(self) -> None:
        for edge, rows in self._changes:
            rows.update(**{edge.field.name: edge.value()})

    def delete_parents(self) -> None:
        """Delete the parents' part of the roots, which are gone."""
        for parent in self._keys.keys() & set(self.model._meta.get_parent_list()):
            self.rows(parent)._raw_delete(using=self.batch.using)

    @cached_property
    def in_order(self) -> list[Any]:
        """The models whose rows go along, those below first, rows of the same table last."""
        others = {self.model, *self.model._meta.get_parent_list()}
        between = [model for model in reversed(self._keys) if model not in others]
        try:
            order = list(self._before.static_order())
            between.sort(key=order.index)
        except CycleError:
            pass  # tables that refer to each other: their constraints have to be deferrable
        return [*self._ends, *between, *([self.model] if self.counts[self.model] else [])]

    def _find_between(self) -> None:
        """Rows that others may refer to."""
        waiting = [(self.model, self._roots)]
        while waiting:
            model, keys = waiting.pop(0)
            for parent, link in links(model):
                values = self._among(model, keys).values(link.attname)
                self._before.add(parent, model)
                self._take(parent, Q(pk__in=values), along=keys is not self._roots)
            for edge in self.edges[model]:
                if edge.way == GOES and not self._is_end(edge.model):
                    if edge.model is not model:
                        self._before.add(model, edge.model)
                    if found := self._take(edge.model, edge.refers(model, keys, self.batch.using)):
                        waiting.append((edge.model, found))

    def _find_others(self) -> None:
        """Rows that nothing refers to, and those that stay or stand in the way."""
        refers: list[tuple[Edge, Q]] = []
        for model in {self.model: None, **self._keys}:
            for edge in self.edges.get(model, ()):
                refers.append((edge, edge.refers(model, self._all_keys(model), self.batch.using)))
        for edge, condition in refers:
            if edge.way == PROTECTS:
                _refuse(ProtectedError, edge.model, self._base(edge.model).filter(condition))
            elif edge.way == GOES and self._is_end(edge.model):
                before = self._ends.get(edge.model)
                self._ends[edge.model] = before | condition if before else condition
        for model in self._ends:
            if self._count(model, self._lock(COUNT, self.rows(model))[0]):
                self._barred.refuse(model, self.rows(model))
        for edge, condition in refers:
            rows = self._staying(edge.model, condition)
            if edge.way == RESTRICTS:
                _refuse(RestrictedError, edge.model, rows)
            elif edge.way not in (GOES, PROTECTS):
                self._change(edge, rows)

    def _change(self, edge: Edge, rows: Any) -> None:
        count = self._lock(COUNT, rows, stay=True)[0]
        if count:
            self._spend(count)
            self.unlinked[edge.model] += count
            self._changes.append((edge, rows))

    def _is_end(self, model: Any) -> bool:
        return not self.edges[model] and not links(model)

    def _all_keys(self, model: Any) -> str:
        roots = self._roots if model is self.model else "{}"
        return _joined(roots, self._keys.get(model, "{}"))

    def _take(self, model: Any, condition: Q, along: bool = True) -> str:
        """Lock rows that are not known yet, and keep their keys; returns these."""
        known = self._all_keys(model)
        rows = self._base(model).filter(condition).exclude(pk__in=keys_in(model, known))
        count, keys = self._lock(KEYS, rows)
        if not count:
            return ""
        self._keys[model] = _joined(self._keys.get(model, "{}"), keys)
        if along:
            self._count(model, count)
        self._barred.refuse(model, self._among(model, keys))
        return str(keys)

    def _count(self, model: Any, count: int) -> int:
        self.counts[model] += count
        self._spend(count)
        return count

    def _spend(self, count: int) -> None:
        if self._room is not None:
            self._room -= count
            if self._room < 0:
                raise TooMany

    def _lock(self, text: str, rows: Any, stay: bool = False) -> Any:
        """Lock the rows in the order of their keys, not many more of them than there is room."""
        # A host may hold a child and wait for its parent, which is ours: we must not wait for it.
        locking = rows.order_by("pk").values_list("pk")
        nowait = not self.batch.patient
        locking = locking.select_for_update(of=("self",), nowait=nowait, no_key=stay)
        if self._room is not None:
            locking = locking[: self._room + 1]
        statement, params = locking.query.get_compiler(self.batch.using).as_sql()
        with connections[self.batch.using].cursor() as cursor:
            cursor.execute(text.format(statement), params)
            return cursor.fetchone()

    def _staying(self, model: Any, condition: Q) -> Any:
        """Rows that refer to what goes and do not go themselves."""
        rows = self._base(model).filter(condition)
        if model is self.model or model in self._keys:
            return rows.exclude(pk__in=keys_in(model, self._all_keys(model)))
        return rows.exclude(pk__in=self.rows(model).values("pk")) if model in self._ends else rows

    def _among(self, model: Any, keys: str) -> Any:
        return self._base(model).filter(pk__in=keys_in(model, keys))

    def _base(self, model: Any) -> Any:
        return model._base_manager.using(self.batch.using)


def below(batch: "Batch", model: Any, subjects: Subjects) -> Below | None:
    """Find and lock what goes along with locked rows; None where only Django's collector can."""
    edges = tree(model)
    if edges is None:
        return None
    found = Below(batch, model, edges)
    found.find(subjects)
    return found


def _refuse(error: Any, model: Any, rows: Any) -> None:
    if found := named(model, rows):
        raise error("rows refer to it", set(found))


def _joined(these: str, those: str) -> str:
    """Two arrays of keys as one."""
    if these == "{}" or those == "{}":
        return those if these == "{}" else these
    return f"{these[:-1]},{those[1:]}"
