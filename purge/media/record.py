"""Write what became of names to the ledger: one event for each outcome, field and reason."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from psycopg.types.json import Jsonb

from lifecycle.db.connection import fetch, statement
from purge import s3
from purge.back_off import back_off
from purge.batch.outcome import MEDIA
from purge.batch.run import count_in_run
from purge.media.model import BATCH_NAMES, FileDecision, MediaBatch, ParkedEntry

FIRST_WAIT, REFUSED_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
UNREADABLE = "BadEvent"  # why: it is not what an event of media has to be
COUNTED = {"media_purged": "purged", "kept": "kept", "blocked": "blocked"}  # kind -> of `Outcome`


class EventGroup(NamedTuple):
    """What the names of one event have in common; `since` and `attempts` of those that go on."""

    kind: str
    model: str
    field: str
    why: str
    due: datetime | None = None
    since: datetime | None = None
    attempts: int = 0


def record(batch: MediaBatch) -> None:
    """Write the events; the last one settles all entries of the batch that are settled."""
    if not batch.settled:
        return
    events = [part for group in _groups(batch).items() for part in _events(batch, *group)]
    events += [_parked(batch, each) for each in batch.parked]
    if not events:
        events = [_event(batch, "settled", "", {}, 0)]
    events[-1]["settled"] = batch.settled
    for event in events:
        fetch(batch.using, statement(__file__, "write"), event)
    if batch.run:
        fetch(batch.using, *count_in_run(batch.run, MEDIA, batch.now, batch.outcome))


def _parked(batch: MediaBatch, parked: ParkedEntry) -> dict[str, Any]:
    """The event of an entry that cannot be read: it names the one that says nothing of use."""
    attempts = parked.attempts + 1
    detail = {"code": UNREADABLE, "attempts": attempts, "names": list[str]()}
    due = batch.now + _wait(UNREADABLE, attempts)
    batch.outcome.blocked += 1
    return _event(batch, "blocked", "", detail, 1, due) | {"basis": parked.event}


def _groups(batch: MediaBatch) -> dict[EventGroup, list[str]]:
    """The names of each event; counts them in the batch's outcome."""
    found: dict[EventGroup, list[str]] = {}
    for each in batch.decisions:
        found.setdefault(_group(each), []).append(each.orphan.name)
        counts, name = batch.outcome, COUNTED[each.kind]
        setattr(counts, name, getattr(counts, name) + 1)
    return found


def _group(decision: FileDecision) -> EventGroup:
    orphan = decision.orphan
    group = EventGroup(decision.kind, orphan.model, orphan.field, decision.why, decision.due)
    goes_on = decision.kind == "blocked" or decision.due
    return group._replace(since=orphan.since, attempts=orphan.attempts) if goes_on else group


def _events(batch: MediaBatch, group: EventGroup, names: list[str]) -> list[dict[str, Any]]:
    detail: dict[str, Any] = {"field": group.field}
    due = group.due
    if group.kind == "kept":
        detail["reason"] = group.why
    if group.kind == "blocked":
        detail |= {"code": group.why, "attempts": group.attempts + 1}
        due = due or batch.now + _wait(group.why, group.attempts + 1)
    if group.since:
        detail["since"] = group.since.isoformat()
    names = sorted(names)
    parts = [names[first : first + BATCH_NAMES] for first in range(0, len(names), BATCH_NAMES)]
    return [
        _event(batch, group.kind, group.model, detail | {"names": part}, len(part), due)
        for part in parts
    ]


def _event(
    batch: MediaBatch, kind: str, model: str, detail: dict[str, Any], count: int,
    due: datetime | None = None,
) -> dict[str, Any]:  # fmt: skip
    event = {"kind": kind, "model": model, "count": count, "due": due, "run": batch.run}
    return event | {"basis": None, "detail": Jsonb(detail), "settled": None}


def _wait(code: str, attempts: int) -> timedelta:
    """Until the next try: twice as long each time; an hour at least where somebody must act."""
    first = REFUSED_WAIT if code in s3.REFUSED else FIRST_WAIT
    return back_off(first, LONGEST_WAIT, attempts - 1)
