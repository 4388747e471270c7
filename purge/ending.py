"""Deleting rows that are locked and were looked at.

Plain SQL where Django itself would delete without looking at the rows; Django's collector
otherwise, so that `on_delete`, signals and parents are as the host has declared them. The DELETE
trigger records what goes; the setting that says it is the runner is reset right after.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.db.models.deletion import Collector

from lifecycle.compile import compiled
from lifecycle.db import Placed, fetch

from .along import told_alone, told_along
from .collecting import collect, is_flat
from .subjects import Subjects

if TYPE_CHECKING:
    from .batch import Batch


def end_rows(batch: "Batch", subjects: Subjects) -> None:
    """Delete the rows; deferred constraints are checked here, not at the commit."""
    model: Any = batch.policy.model._meta.concrete_model
    if Collector(using=batch.using).can_fast_delete(model._base_manager.using(batch.using).all()):
        batch.along = told_alone(batch, model, subjects)
        with _announced(batch, subjects, **batch.along):
            _delete(batch, subjects)
    else:
        _collect_and_delete(batch, model, subjects)
    fetch(batch.using, "SET CONSTRAINTS ALL IMMEDIATE")


def _delete(batch: "Batch", subjects: Subjects) -> None:
    text = batch.sql("delete", rows=subjects.where(batch.column))
    fetch(batch.using, text, batch.params(subjects))


def _collect_and_delete(batch: "Batch", model: Any, subjects: Subjects) -> None:
    """Rows of the same table that go along go first, so that the ledger can tell them apart.

    What the collector itself deletes is never said by its event: it deletes in parts, and a
    receiver may delete other rows of the table meanwhile. Receivers may do what no rollback takes
    back, so that a dry run ends here.
    """
    keys = keys_of(batch, subjects)
    found = collect(batch, model, keys)
    batch.along = told_along(batch, found, keys)
    batch.outcome.fresh += len(found.own)  # one root must not take a whole tree past the cap
    if batch.dry:
        return
    if found.own:
        with _announced(batch, subjects.written(found.own), cause="cascade"):
            collect(batch, model, found.own).collector.delete()
        found = collect(batch, model, keys)
    if is_flat(found.collector, model):
        with _announced(batch, subjects, **batch.along):
            for rows in found.collector.fast_deletes:
                rows._raw_delete(using=batch.using)
            _delete(batch, subjects)
        return
    with _announced(batch, subjects.written(keys), **batch.along):
        found.collector.delete()


@contextmanager
def _announced(batch: "Batch", subjects: Subjects, **detail: Any) -> Iterator[None]:
    """Tell the DELETE trigger who deletes; an error's rollback takes it back as well."""
    ending: dict[str, Any] = {"model": batch.label, "kind": batch.ending, "policy": batch.by}
    ending |= {"run": batch.run, "detail": batch.told | detail}
    if subjects.event:
        ending |= {"basis": subjects.event, "count": subjects.count}
    fetch(batch.using, batch.sql("announce"), {"ending": json.dumps(ending)})
    yield
    fetch(batch.using, batch.sql("announce"), {"ending": ""})


def keys_told(batch: "Batch", subjects: Subjects) -> list[Any]:
    """The keys in order, as the ledger writes them: an `inet` has its mask there."""
    kind = compiled(batch.policy).key.kind
    key, rows = Placed(f"{batch.column}::{kind}"), subjects.where(batch.column)
    text = batch.sql("locked_keys", key=key, rows=rows)
    return [key for (key,) in fetch(batch.using, text, batch.params(subjects))]


def keys_of(batch: "Batch", subjects: Subjects) -> list[Any]:
    """The keys as Python values, in order; only for the few rows that need it."""
    text = batch.sql("locked_keys", key=Placed(batch.column), rows=subjects.where(batch.column))
    return [key for (key,) in fetch(batch.using, text, batch.params(subjects))]
