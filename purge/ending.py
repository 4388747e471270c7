"""Deleting rows that are locked and were looked at.

Plain SQL where Django itself would delete without looking at the rows; Django's collector
otherwise, so that `on_delete`, signals and parents are as the host has declared them. The DELETE
trigger records what goes; the setting that says it is the runner is reset right after.
"""

import json
from itertools import chain
from typing import TYPE_CHECKING, Any

from django.db.models import Model
from django.db.models.deletion import Collector

from lifecycle.db import fetch
from lifecycle.models import LifecycleException

from .errors import HeldBelow
from .subjects import Subjects

if TYPE_CHECKING:
    from .batch import Batch


def end_rows(batch: "Batch", subjects: Subjects) -> None:
    """Delete the rows; deferred constraints are checked here, not at the commit."""
    model: Any = batch.policy.model._meta.concrete_model
    _announce(batch, subjects)
    if Collector(using=batch.using).can_fast_delete(model._base_manager.using(batch.using).all()):
        text = batch.sql("delete", rows=subjects.where(batch.column))
        fetch(batch.using, text, batch.params(subjects))
    else:
        _collect(batch, model, subjects).delete()
    fetch(batch.using, batch.sql("announce"), {"ending": ""})
    fetch(batch.using, "SET CONSTRAINTS ALL IMMEDIATE")


def _announce(batch: "Batch", subjects: Subjects) -> None:
    ending = {"model": batch.label, "kind": "purged", "policy": batch.policy.name}
    ending |= {"run": batch.run}  # type: ignore[dict-item]
    if subjects.event:
        ending |= {"basis": subjects.event, "count": subjects.count}  # type: ignore[dict-item]
    fetch(batch.using, batch.sql("announce"), {"ending": json.dumps(ending)})


def _collect(batch: "Batch", model: Any, subjects: Subjects) -> Collector:
    from .batch import keys_of

    found = model._base_manager.using(batch.using).filter(pk__in=keys_of(batch, subjects))
    collector = Collector(using=batch.using)
    collector.collect(list(found))
    _refuse_held(batch, model, collector)
    return collector


def _refuse_held(batch: "Batch", model: Any, collector: Collector) -> None:
    """Lock what would go along, then see whether any of it is held: a hold locks its row too."""
    below: Any = chain(
        (
            (m, [each.pk for each in objects])
            for m, objects in collector.data.items()
            if m is not model
        ),
        ((rows.model, rows) for rows in collector.fast_deletes),
    )
    for child, rows in below:
        keys = _locked(batch, child, rows)
        held = _held(batch, child, keys)
        if held:
            raise HeldBelow(held)


def _locked(batch: "Batch", child: type[Model], rows: Any) -> list[Any]:
    queryset = rows
    if isinstance(rows, list):
        queryset = child._base_manager.using(batch.using).filter(pk__in=rows)
    # A host may hold a child and wait for its parent, which is ours: it must not find us waiting.
    locking = queryset.order_by("pk").select_for_update(of=("self",), nowait=not batch.patient)
    return list(locking.values_list("pk", flat=True))


def _held(batch: "Batch", child: type[Model], keys: list[Any]) -> list[Model]:
    label = child._meta.concrete_model._meta.label_lower  # type: ignore[union-attr]
    held = LifecycleException.objects.using(batch.using).filter(kind="hold", model=label)
    names = {row.key for row in held.filter(key__in=[str(key) for key in keys])}
    return [child(pk=key) for key in keys if str(key) in names]
