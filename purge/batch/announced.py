"""Telling the DELETE and UPDATE triggers that what comes next is the engine's, and for whom."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from psycopg.types.json import Jsonb

from lifecycle.db.connection import Query, fetch, statement
from purge.batch.state import Batch
from purge.batch.subjects import Subjects


@contextmanager
def announced(
    batch: Batch, subjects: Subjects, wait: str | None = None, **detail: Any
) -> Iterator[None]:
    """Tell the triggers who deletes or updates; an error's rollback takes it back as well."""
    announce(batch, subjects, wait, **detail)
    yield
    fetch(batch.using, *no_more())


def announce(batch: Batch, subjects: Subjects, wait: str | None, **detail: Any) -> None:
    """Tell the triggers whose rows go from now on, until the next announcement."""
    fetch(batch.using, *announcement(batch, subjects, wait, **detail))


def announcement(batch: Batch, subjects: Subjects, wait: str | None = None, **detail: Any) -> Query:
    """The statement of `announce`."""
    ending: dict[str, Any] = {"model": batch.label, "kind": batch.ending, "policy": batch.by}
    ending |= {"run": batch.run, "detail": batch.event_detail | detail}
    if subjects.event:
        ending |= {"basis": subjects.event, "count": subjects.count}
    return Query(statement(__file__, "announce"), {"ending": Jsonb(ending), "wait": wait})


def no_more() -> Query:
    """From here on rows go by the host's own statements."""
    return Query(statement(__file__, "announce"), {"ending": None, "wait": None})
