"""Announce."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lifecycle.db.connection import fetch
from purge.batch.subjects import Subjects

if TYPE_CHECKING:
    from purge.batch.state import Batch


@contextmanager
def announced(
    batch: "Batch", subjects: Subjects, wait: str | None = None, **detail: Any
) -> Iterator[None]:
    """Tell the triggers who deletes or updates; an error's rollback takes it back as well."""
    _announce(batch, subjects, wait, **detail)
    yield
    fetch(batch.using, batch.sql(__file__, "announce"), {"ending": "", "wait": None})


def _announce(batch: "Batch", subjects: Subjects, wait: str | None, **detail: Any) -> None:
    ending: dict[str, Any] = {"model": batch.label, "kind": batch.ending, "policy": batch.by}
    ending |= {"run": batch.run, "detail": batch.told | detail}
    if subjects.event:
        ending |= {"basis": subjects.event, "count": subjects.count}
    fetch(
        batch.using, batch.sql(__file__, "announce"), {"ending": json.dumps(ending), "wait": wait}
    )
