"""What the event of an end says of that which goes along: counts by model, names of media.

Counts are in every event, also of tables without a policy. Media, and rows that stay with their
link emptied, only where a row is erased on request: its receipt lists them.
"""

from collections import Counter
from typing import Any

from django.db.models import FileField, Model

from lifecycle.db.rows import every_row
from lifecycle.policy.dispositions import Update
from purge.batch.cascade.collector import Collected
from purge.batch.cascade.python_keys import among
from purge.batch.cascade.sets import CascadeSets
from purge.batch.cascade.ties import is_stand_in
from purge.batch.state import Batch, keys_of
from purge.batch.subjects import Subjects

MOST_NAMES = 1_000  # of media in one event


def cascade_detail(
    batch: Batch, found: CascadeSets | Collected, subjects: Subjects
) -> dict[str, Any]:
    """`cascade`, `unlinked` and `media` of what goes along; those that are empty are left out."""
    detail: dict[str, Any] = counted(found)
    if batch.erasure:
        names = media_alone(batch, batch.policy.model, subjects).get("media", [])
        for model in found.counts:
            names = [*names, *media(batch, model, found.rows(model))]
        detail |= {"unlinked": _by_label(found.unlinked), "media": sorted(set(names))[:MOST_NAMES]}
    return {name: value for name, value in detail.items() if value}


def counted(found: CascadeSets | Collected) -> dict[str, Any]:
    """How many rows of each model go along."""
    counts = _by_label(found.counts)
    return {"cascade": counts} if counts else {}


def media_alone(batch: Batch, model: Any, subjects: Subjects) -> dict[str, Any]:
    """`media` of rows without cascades."""
    if not batch.erasure or not _file_fields(batch, model):
        return {}
    rows = every_row(model, batch.using)
    names = media(batch, model, rows.filter(pk__in=among(model, keys_of(batch, subjects))))
    return {"media": names} if names else {}


def media(batch: Batch, model: Any, rows: Any) -> list[str]:
    """The names in the file fields of rows that go; of an `Update`, in those that it sets."""
    found: set[str] = set()
    for name in _file_fields(batch, model):
        found |= set(rows.values_list(name, flat=True)[:MOST_NAMES])
    return sorted(filter(None, found))[:MOST_NAMES]


def _file_fields(batch: Batch, model: type[Model]) -> list[str]:
    names = [f.name for f in model._meta.concrete_fields if isinstance(f, FileField)]
    disposition = batch.policy.disposition
    return [n for n in names if not isinstance(disposition, Update) or n in disposition.values]


def _by_label(counts: Counter[Any]) -> dict[str, int]:
    labels = {_label(model): count for model, count in counts.items() if count}
    return dict(sorted(labels.items()))


def _label(model: Any) -> str:
    """Of a table without a model, its name."""
    if is_stand_in(model):
        return str(model._meta.db_table).replace('"', "").replace("%%", "%")
    return str(model._meta.label_lower)
