"""Stores that do not answer: this process asks them less and less often, others go on.

What is remembered here is only there to ask less often; what is due stays on the agenda.
"""

import time
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db.models import FileField

from lifecycle.logs import Log
from purge.back_off import back_off
from purge.media.stores.choose import store_of

if TYPE_CHECKING:
    from purge.media.stores.base import Store


FIRST, LONGEST = 2.0, 300.0  # seconds

log = Log("purge")
_resting: dict[tuple[str, ...], tuple[int, float]] = {}  # root -> failures in a row, until when


def rest(store: "Store", error: Exception) -> None:
    """Leave a store alone, for longer after each failure in a row."""
    failures = _resting.get(store.root, (0, 0.0))[0] + 1
    wait = back_off(FIRST, LONGEST, failures - 1)
    _resting[store.root] = failures, time.monotonic() + wait
    log("media_store", f"{' '.join(store.root)}: {error}", cause=str(error))


def answered(store: "Store") -> None:
    """It answers."""
    _resting.pop(store.root, None)


def resting() -> list[str]:
    """The fields, as `app.model.field`, of stores that are left alone now."""
    now = time.monotonic()
    roots = {root for root, (_, until) in _resting.items() if now < until}
    return [] if not roots else [name for name, root in _fields() if root in roots]


def storages() -> list[Any]:
    """The storages of all file fields of the site."""
    return [field.storage for field in _file_fields()]


def _fields() -> list[tuple[str, tuple[str, ...]]]:
    return [
        (f"{field.model._meta.label_lower}.{field.name}", store_of(field.storage).root)
        for field in _file_fields()
    ]


def _file_fields() -> list[FileField]:
    return [
        field
        for model in apps.get_models()
        for field in model._meta.local_concrete_fields
        if isinstance(field, FileField)
    ]
