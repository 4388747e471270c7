"""What the ledger is told of that which goes along with rows: counts by model, names of media.

Counts are told of every batch, also of tables without a policy. Media, and rows that stay with
their link emptied, are told of a row that was erased on request: its receipt lists them.
"""

from collections import Counter
from typing import TYPE_CHECKING, Any

from django.db.models import FileField, Model, QuerySet

from lifecycle.dispositions import Update

from .collecting import Collected, among
from .subjects import Subjects

if TYPE_CHECKING:
    from .batch import Batch

MOST = 1_000  # names of media in one event


def told_along(batch: "Batch", found: Collected, keys: list[Any]) -> dict[str, Any]:
    """`cascade`, `unlinked` and `media` of collected rows; those that are empty are left out."""
    told: dict[str, Any] = {"cascade": _counted(found.along)}
    if "erasure" in batch.told:
        model: Any = batch.policy.model._meta.concrete_model
        rows = {model: keys, **{m: own for m, own in found.along.items() if m is not model}}
        rows[model] = [*keys, *found.own]
        told |= {"unlinked": _unlinked(found), "media": media(batch, rows)}
    return {name: value for name, value in told.items() if value}


def told_alone(batch: "Batch", model: Any, subjects: Subjects) -> dict[str, Any]:
    """The same of rows with which nothing goes that Django knows of."""
    from .ending import keys_of

    if "erasure" not in batch.told or not _file_fields(batch, model):
        return {}
    names = media(batch, {model: keys_of(batch, subjects)})
    return {"media": names} if names else {}


def media(batch: "Batch", rows: dict[Any, list[Any]]) -> list[str]:
    """The names in the file fields of rows that go; of an `Update`, in those that it sets."""
    found: set[str] = set()
    for model, keys in rows.items():
        for name in _file_fields(batch, model):
            values = model._base_manager.using(batch.using).filter(pk__in=among(model, keys))
            found |= set(values.values_list(name, flat=True)[:MOST])
    return sorted(filter(None, found))[:MOST]


def _file_fields(batch: "Batch", model: type[Model]) -> list[str]:
    names = [f.name for f in model._meta.concrete_fields if isinstance(f, FileField)]
    disposition = batch.policy.disposition
    return [n for n in names if not isinstance(disposition, Update) or n in disposition.values]


def _counted(along: dict[Any, list[Any]]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for model, keys in along.items():
        counts[model._meta.concrete_model._meta.label_lower] += len(keys)
    return dict(sorted(counts.items()))


def _size(rows: Any) -> int:
    return rows.count() if isinstance(rows, QuerySet) else len(rows)


def _unlinked(found: Collected) -> dict[str, int]:
    """Rows that stay, their foreign key emptied or set to another value, by model."""
    counts: Counter[str] = Counter()
    for (field, _), parts in found.collector.field_updates.items():
        for rows in parts:
            counts[field.model._meta.label_lower] += _size(rows)
    return dict(sorted(counts.items()))
