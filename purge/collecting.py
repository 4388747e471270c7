"""What goes along with rows that Django's collector deletes, locked before it goes.

The collector deletes what it has read, also what has changed since: a child that was moved to
another parent in between. So what it finds is locked, and read again until nothing has changed.
"""

from typing import TYPE_CHECKING, Any

from django.db.models import Model, Q
from django.db.models.deletion import Collector, get_candidate_relations_to_delete
from django.db.models.signals import post_delete, pre_delete

from lifecycle.models import LifecycleException
from lifecycle.registry import policies_of

from .errors import HeldBelow

if TYPE_CHECKING:
    from .batch import Batch


def collect(batch: "Batch", model: Any, keys: list[Any]) -> tuple[Collector, list[Any]]:
    """A collector over locked rows, with everything that goes along locked and not held.

    Beside it the keys of further rows of the same table that go along.
    """
    before: dict[Any, set[Any]] = {}
    while True:
        collector = Collector(using=batch.using)
        collector.collect(_instances(batch, model, keys))
        below = _read(collector)
        below[model] = below[model] - set(keys)
        for child, own in below.items():
            rows = child._base_manager.using(batch.using).filter(pk__in=own)
            _refuse_held(batch, child, _locked(batch, rows))
        if below == before:
            break
        before = below
    for rows in collector.fast_deletes:
        _refuse_held(batch, rows.model, _locked(batch, rows))
    return collector, sorted(below[model])


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


def _locked(batch: "Batch", rows: Any) -> list[Any]:
    # A host may hold a child and wait for its parent, which is ours: it must not find us waiting.
    locking = rows.order_by("pk").select_for_update(of=("self",), nowait=not batch.patient)
    return list(locking.values_list("pk", flat=True))


def _refuse_held(batch: "Batch", child: type[Model], keys: list[Any]) -> None:
    """Raise `HeldBelow` if a row that would go along, or a policy on its model, is held."""
    if not keys:
        return
    holds = LifecycleException.objects.using(batch.using).filter(kind="hold")
    holds = holds.filter(Q(until=None) | Q(until__gt=batch.now))
    label = child._meta.concrete_model._meta.label_lower  # type: ignore[union-attr]
    names = {row.key for row in holds.filter(model=label, key__in=[str(key) for key in keys])}
    held = [child(pk=key) for key in keys if str(key) in names]
    if not held and holds.filter(policy__in=[p.name for p in policies_of(child)], key="").exists():
        held = [child(pk=key) for key in keys]
    if held:
        raise HeldBelow(held)
