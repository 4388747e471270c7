"""What goes along with rows that Django's collector deletes, locked before it goes.

The collector deletes what it has read, also what has changed since: a child that was moved to
another parent in between. So what it finds is locked, and read again until nothing has changed.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Model, Q, TextField
from django.db.models.deletion import Collector, get_candidate_relations_to_delete
from django.db.models.expressions import RawSQL
from django.db.models.functions import Cast
from django.db.models.signals import post_delete, pre_delete

from lifecycle.keys import key_of
from lifecycle.models import LifecycleException
from lifecycle.registry import policies_of

from .errors import HeldBelow
from .subjects import array_text

if TYPE_CHECKING:
    from .batch import Batch


class ByArray(Collector):
    """Django's collector, asking for related rows by one array instead of a parameter a row."""

    def related_objects(self, related_model: Any, related_fields: Any, objs: Any) -> Any:
        if not all(f.primary_key for field in related_fields for f in field.foreign_related_fields):
            return super().related_objects(related_model, related_fields, objs)
        keys = among(type(objs[0]), [each.pk for each in objs])
        named = [(f"{field.name}__in", keys) for field in related_fields]
        rows = related_model._base_manager.using(self.using)
        return rows.filter(Q.create(named, connector=Q.OR))  # type: ignore[arg-type]


def among(model: Any, keys: Any) -> Any:
    """The right side of `pk__in`: ten thousand keys as one parameter."""
    own = key_of(model)
    if own.kind == "text" and not all(isinstance(key, str) for key in keys):
        return list(keys)  # a type whose text form only its field knows
    return RawSQL(f"SELECT unnest(%s::{own.db_type}[])", [array_text(keys)])  # noqa: S611


@dataclass(frozen=True)
class Collected:
    """What goes with rows: a collector that holds it, and its keys by model.

    `own` are further rows of the same table. The parents' part of a row is not told: it is the row.
    """

    collector: Collector
    own: list[Any]
    along: dict[Any, list[Any]]


def collect(batch: "Batch", model: Any, keys: list[Any]) -> Collected:
    """Collect over locked rows; everything that goes along is locked and not held."""
    before: dict[Any, set[Any]] = {model: set()}
    while True:
        collector = ByArray(using=batch.using)
        collector.collect(_instances(batch, model, keys))
        below = _read(collector)
        below[model] = below[model] - set(keys)
        for child, own in below.items():
            rows = child._base_manager.using(batch.using).filter(pk__in=among(child, own))
            _refuse_held(batch, child, _locked(batch, rows))
        if below == before:
            break
        before = below
    for rows in collector.fast_deletes:
        found = _locked(batch, rows)
        _refuse_held(batch, rows.model, found)
        below[rows.model] = below.get(rows.model, set()) | found
    for parent in model._meta.get_parent_list():
        below[parent] = below.get(parent, set()) - set(keys)
    along = {child: list(found) for child, found in below.items() if found}
    return Collected(collector, sorted(below[model]), along)


def is_flat(collector: Collector, model: Any) -> bool:
    """Whether nothing but rows of `model`, and what Django deletes unread, would go.

    Then two statements do what the collector would do a hundred rows at a time.
    """
    return (
        set(collector.data) == {model} and not collector.field_updates and not _is_looked_at(model)
    )


def _read(collector: Collector) -> dict[Any, set[Any]]:
    """The keys of the rows that the collector has read, by model."""
    return {child: {each.pk for each in rows} for child, rows in collector.data.items()}


def _instances(batch: "Batch", model: Any, keys: list[Any]) -> list[Any]:
    """The rows as the collector wants them: without their values where nobody looks at those.

    A row may hold a date that Python cannot; it ends all the same.
    """
    if _is_looked_at(model):
        return list(model._base_manager.using(batch.using).filter(pk__in=keys))
    return [_bare(model, key, batch.using) for key in keys]


def _is_looked_at(model: Any) -> bool:
    """Whether receivers, or relations to other columns than the key, want the row's values."""
    models = (model, *model._meta.get_parent_list())
    if any(signal.has_listeners(m) for signal in (pre_delete, post_delete) for m in models):
        return True
    relations: list[Any] = [r for m in models for r in get_candidate_relations_to_delete(m._meta)]
    return not all(f.primary_key for r in relations for f in r.field.foreign_related_fields)


def _bare(model: Any, key: Any, using: str) -> Any:
    row = model(pk=key)
    for parent in model._meta.get_parent_list():
        setattr(row, parent._meta.pk.attname, key)
    row._state.db, row._state.adding = using, False
    return row


def _locked(batch: "Batch", rows: Any) -> set[Any]:
    """The keys of the rows, which are locked now."""
    # A host may hold a child and wait for its parent, which is ours: it must not find us waiting.
    locking = rows.order_by("pk").select_for_update(of=("self",), nowait=not batch.patient)
    return set(locking.values_list("pk", flat=True))


def _refuse_held(batch: "Batch", child: type[Model], keys: set[Any]) -> None:
    """Raise `HeldBelow` if a row that would go along, or a policy on its model, is held."""
    if not keys:
        return
    holds = LifecycleException.objects.using(batch.using).filter(kind="hold")
    holds = holds.filter(Q(until=None) | Q(until__gt=batch.now))
    label = child._meta.concrete_model._meta.label_lower  # type: ignore[union-attr]
    names = set(holds.filter(model=label).exclude(key="").values_list("key", flat=True))
    held = [child(pk=key) for key in _named(batch, child, keys, names)] if names else []
    if not held and holds.filter(policy__in=[p.name for p in policies_of(child)], key="").exists():
        held = [child(pk=key) for key in keys]
    if held:
        raise HeldBelow(held)


def _named(batch: "Batch", child: type[Model], keys: set[Any], names: set[str]) -> list[Any]:
    """Those of the keys whose text, as the ledger writes it, is among the names."""
    rows = child._base_manager.using(batch.using).filter(pk__in=among(child, keys))
    texts = rows.values_list("pk", Cast("pk", TextField()))
    return [key for key, text in texts if text in names]
