"""What goes along with rows, found and locked in sets; no row is read.

As Django's collector does it, table by table: the rows that refer to locked rows are locked, asked
whether they may go, and asked in turn who refers to them. A row that is locked keeps what it refers
to, and nothing new can refer to it: what was found is what goes. The keys of rows between two
tables stay one text in PostgreSQL's form of an array; rows that nothing refers to have no keys here
at all, only the condition that names them. A host that has one of them is never waited for.
"""

from collections import Counter
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, Any

from django.db import connections
from django.db.models import Q
from django.db.models.deletion import ProtectedError, RestrictedError

from lifecycle.db.connection import scalar
from purge.batch.cascade.blockers import CascadeBlockers, named
from purge.batch.cascade.relations import GOES, PROTECTS, RESTRICTS, Edge, key_array, links, tree
from purge.batch.subjects import Subjects
from purge.exceptions import TooMany

if TYPE_CHECKING:
    from purge.batch.state import Batch


COUNT = "SELECT count(*) FROM ({}) AS locked"
KEYS = "SELECT count(*), array_agg(key)::text FROM ({}) AS locked (key)"


class Below:
    """The rows that go along with locked rows of `model`, and those that stay with a changed link.

    counts     how many rows of each model go along; of `model` itself, how many further ones
    unlinked   how many of each model stay, their link changed
    changes    those, with the relation whose link it is
    keys       of the rows between two tables, as one array for each model
    ends       the conditions of the rows that nothing refers to
    unlocked   models whose rows are locked only by their DELETE
    before     which model's rows go before which others'
    """

    def __init__(self, batch: "Batch", model: Any, edges: dict[Any, list[Edge]]) -> None:
        self.batch, self.model, self.edges = batch, model, edges
        self.counts: Counter[Any] = Counter()
        self.unlinked: Counter[Any] = Counter()
        self._roots = "{}"
        self.keys: dict[Any, str] = {}
        self.ends: dict[Any, Q] = {}
        self.unlocked: list[Any] = []
        self.changes: list[tuple[Edge, Any]] = []
        self.before: TopologicalSorter[Any] = TopologicalSorter()
        self.blockers = CascadeBlockers(batch)
        self._room: int | None = None

    def find(self, subjects: Subjects) -> None:
        """Lock everything; raises what says that a row cannot go, or that they are too many."""
        most = self.batch.most if subjects.count > 1 else None
        self._room = None if most is None else most - subjects.count
        self._roots = self._keys_of(subjects)
        self._find_between()
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
                self._take(parent, Q(pk__in=values), along=keys is not self._roots)
            for edge in self.edges[model]:
                if edge.way == GOES and not self._is_end(edge.model):
                    if edge.model is not model:
                        self.before.add(model, edge.model)
                    if found := self._take(edge.model, edge.refers(model, keys, self.batch.using)):
                        waiting.append((edge.model, found))

    def _find_others(self) -> None:
        """Rows that nothing refers to, and those that stay or stand in the way."""
        refers: list[tuple[Edge, Q]] = []
        for model in {self.model: None, **self.keys}:
            for edge in self.edges.get(model, ()):
                refers.append((edge, edge.refers(model, self._all_keys(model), self.batch.using)))
        for edge, condition in refers:
            if edge.way == PROTECTS:
                _refuse(ProtectedError, edge.model, self._base(edge.model).filter(condition))
            elif edge.way == GOES and self._is_end(edge.model):
                before = self.ends.get(edge.model)
                self.ends[edge.model] = before | condition if before else condition
        for model in self.ends:
            self._find_end(model)
        for edge, condition in refers:
            rows = self._staying(edge.model, condition)
            if edge.way == RESTRICTS:
                _refuse(RestrictedError, edge.model, rows)
            elif edge.way not in (GOES, PROTECTS):
                self._change(edge, rows)

    def _find_end(self, model: Any) -> None:
        """Rows at which nobody looks are locked by their own DELETE, and asked about after it."""
        rows = self.rows(model)
        if not self.blockers.asks(model) and "erasure" not in self.batch.told:
            self.unlocked.append(model)
            self._count(model, self._fetch(COUNT, self._few(rows.values_list("pk")))[0])
        elif self._count(model, self._lock(COUNT, rows)[0]):
            self.blockers.refuse(model, rows)

    def _change(self, edge: Edge, rows: Any) -> None:
        count = self._lock(COUNT, rows, stay=True)[0]
        if count:
            self._spend(count)
            self.unlinked[edge.model] += count
            self.changes.append((edge, rows))

    def _is_end(self, model: Any) -> bool:
        return not self.edges[model] and not links(model)

    def _all_keys(self, model: Any) -> str:
        roots = self._roots if model is self.model else "{}"
        return _joined(roots, self.keys.get(model, "{}"))

    def _take(self, model: Any, condition: Q, along: bool = True) -> str:
        """Lock rows that are not known yet, and keep their keys; returns these."""
        known = self._all_keys(model)
        rows = self._base(model).filter(condition).exclude(pk__in=key_array(model, known))
        count, keys = self._lock(KEYS, rows)
        if not count:
            return ""
        self.keys[model] = _joined(self.keys.get(model, "{}"), keys)
        if along:
            self._count(model, count)
        self.blockers.refuse(model, self._among(model, keys))
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
        return self._fetch(
            text, self._few(locking.select_for_update(of=("self",), nowait=nowait, no_key=stay))
        )

    def _few(self, rows: Any) -> Any:
        return rows if self._room is None else rows[: self._room + 1]

    def _fetch(self, text: str, rows: Any) -> Any:
        statement, params = rows.query.get_compiler(self.batch.using).as_sql()
        with connections[self.batch.using].cursor() as cursor:
            cursor.execute(text.format(statement), params)
            return cursor.fetchone()

    def _staying(self, model: Any, condition: Q) -> Any:
        """Rows that refer to what goes and do not go themselves."""
        rows = self._base(model).filter(condition)
        if model is self.model or model in self.keys:
            return rows.exclude(pk__in=key_array(model, self._all_keys(model)))
        return rows.exclude(pk__in=self.rows(model).values("pk")) if model in self.ends else rows

    def _among(self, model: Any, keys: str) -> Any:
        return self._base(model).filter(pk__in=key_array(model, keys))

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
