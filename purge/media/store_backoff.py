"""Stores that do not answer: this process asks them less and less often.

Other stores go on. What is due stays on the agenda, whatever is remembered here.
"""

import time
from typing import Any

from django.apps import apps
from django.db.models import FileField

from lifecycle.logs import Log
from purge.back_off import back_off
from purge.media.stores import store_of
from purge.media.stores.base import Store

FIRST_WAIT, LONGEST_WAIT = 2.0, 300.0  # seconds

log = Log("purge")
_backed_off: dict[tuple[str, ...], tuple[int, float]] = {}  # root -> failures in a row, until when


def back_off_store(store: Store, error: Exception) -> None:
    """Ask a store no more for a while, twice as long after each failure in a row."""
    failures = _backed_off.get(store.root, (0, 0.0))[0] + 1
    wait = back_off(FIRST_WAIT, LONGEST_WAIT, failures - 1)
    _backed_off[store.root] = failures, time.monotonic() + wait
    log("media_store", f"{' '.join(store.root)}: {error}", cause=str(error))


def reset(store: Store) -> None:
    """Forget the failures of a store that answers."""
    _backed_off.pop(store.root, None)


def backed_off_fields() -> list[str]:
    """The fields, as `app.model.field`, of stores that are not asked now."""
    now = time.monotonic()
    roots = {root for root, (_, until) in _backed_off.items() if now < until}
    return [
        f"{field.model._meta.label_lower}.{field.name}"
        for field in (_file_fields() if roots else ())
        if store_of(field.storage).root in roots
    ]


def storages() -> list[Any]:
    """The storages of all file fields of the site."""
    return [field.storage for field in _file_fields()]


def _file_fields() -> list[FileField]:
    return [
        field
        for model in apps.get_models()
        for field in model._meta.local_concrete_fields
        if isinstance(field, FileField)
    ]
