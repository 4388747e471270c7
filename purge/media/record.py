"""What the ledger is told of a batch: one event for each outcome, field and reason."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from psycopg.types.json import Jsonb

from lifecycle.db.connection import fetch, statement
from purge import s3
from purge.back_off import back_off
from purge.batch.run import count_in_run

if TYPE_CHECKING:
    from purge.media.model import Batch


MOST = 1_000  # names in an event
SHORTEST, PARKED, LONGEST = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
COUNTED = {"media_purged": "purged", "kept": "kept", "blocked": "blocked"}


def record(batch: "Batch") -> None:
    """Write the events; the last one settles all entries of the batch that are settled."""
    if not batch.settled:
        return
    events = [part for group in _groups(batch).items() for part in _parts(batch, *group)]
    if not events:
        events = [_event(batch, "settled", "", {}, 0)]
    events[-1]["settled"] = batch.settled
    for event in events:
        fetch(batch.using, statement(__file__, "write"), event)
    if batch.run:
        count_in_run(batch.using, batch.run, batch.now, batch.outcome)


def _groups(batch: "Batch") -> dict[tuple[Any, ...], list[str]]:
    """The names of each kind of outcome, as (kind, model, field, why, due, since, attempts)."""
    found: dict[tuple[Any, ...], list[str]] = {}
    for each in batch.verdicts:
        orphan = each.orphan
        again: tuple[Any, ...] = ()
        if each.kind == "blocked" or each.due:
            again = (each.due, orphan.since, orphan.attempts)
        found.setdefault((each.kind, orphan.model, orphan.field, each.why, *again), []).append(
            orphan.name
        )
        counts, name = batch.outcome, COUNTED[each.kind]
        setattr(counts, name, getattr(counts, name) + 1)
    return found


def _parts(batch: "Batch", group: tuple[Any, ...], names: list[str]) -> list[dict[str, Any]]:
    kind, model, field, why, *again = group
    detail: dict[str, Any] = {"field": field}
    due = None
    if kind == "kept":
        detail["reason"] = why
    if kind == "blocked":
        detail |= {"code": why, "attempts": again[2] + 1}
        due = batch.now + wait(why, again[2] + 1)
    if again:
        detail["since"], due = again[1].isoformat(), again[0] or due
    chunks = [sorted(names)[first : first + MOST] for first in range(0, len(names), MOST)]
    return [
        _event(batch, kind, model, detail | {"names": chunk}, len(chunk), due) for chunk in chunks
    ]


def _event(
    batch: "Batch", kind: str, model: str, detail: dict[str, Any], count: int,
    due: datetime | None = None,
) -> dict[str, Any]:  # fmt: skip
    event = {"kind": kind, "model": model, "count": count, "due": due, "run": batch.run}
    return event | {"detail": Jsonb(detail), "settled": None}


def wait(code: str, attempts: int) -> timedelta:
    """Until the next try: twice as long each time; an hour at least where somebody must act."""
    first = PARKED if code in s3.REFUSED else SHORTEST
    return back_off(first, LONGEST, attempts - 1)
