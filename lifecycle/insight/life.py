"""The life of one row as spans of time: live, due, tombstoned, gone; under each of its policies.

Made of its events alone, so it also shows rows that are not there any more. An event says what a
batch found; between two of them a row may have been another, as when a hold has ended by its date.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lifecycle.details import instant
from lifecycle.insight.verdict import Verdict
from lifecycle.phrases import phrase, word

LIVE, DUE, TOMBSTONED, GONE = "live", "due", "tombstoned", "gone"
ENDINGS = ("purged", "deleted", "truncated")
BACK = ("restored", "kept", "loaded", "updated")


@dataclass
class Span:
    """A state, from when until when; None: still so."""

    state: str
    since: datetime
    until: datetime | None = None


@dataclass
class Lane:
    """What the row was under one policy, the oldest first; '' where no policy was on it."""

    policy: str
    spans: list[Span] = field(default_factory=list)

    def turn(self, state: str, at: datetime) -> None:
        """From then on it is in this state."""
        if self.spans and self.spans[-1].state == state:
            return
        if self.spans:
            self.spans[-1].until = max(at, self.spans[-1].since)
        self.spans.append(Span(state, at))


@dataclass(frozen=True)
class Mark:
    """Something that people did, or that is to come: `restored`, `hold_placed`, `next`."""

    kind: str
    at: datetime
    says: str


@dataclass
class Life:
    """From the first event to now, or to what comes next."""

    since: datetime
    until: datetime
    now: datetime
    lanes: list[Lane]
    holds: list[Span]
    marks: list[Mark]


def life(
    events: Iterable[Any], verdicts: list[Verdict], policies: list[str], now: datetime
) -> Life | None:
    """Of the events about a row, in any order; None where there is none."""
    told = sorted(events, key=lambda event: event.pk)
    if not told:
        return None
    since = min(event.recorded_at for event in told)
    names = policies or sorted({event.policy for event in told if event.policy}) or [""]
    lanes = [_lane(name, told, since, now) for name in names]
    coming = [
        Mark("next", each.at, phrase("%(policy)s next", policy=each.policy))
        for each in verdicts
        if each.at
    ]
    marks = [*_done(told), *coming]
    until = max([now, *(mark.at for mark in marks)])
    return Life(since, until, now, lanes, _holds(told), marks)


def _lane(policy: str, events: list[Any], since: datetime, now: datetime) -> Lane:
    lane, due = Lane(policy), None
    lane.turn(LIVE, since)
    for event in events:
        mine = event.policy in ("", policy)
        if not mine and event.kind not in ENDINGS:
            continue
        _due_until(lane, due, event.recorded_at)
        if event.kind in ENDINGS:
            lane.turn(GONE, event.recorded_at)
            due = None
        elif event.kind == "tombstoned":
            lane.turn(TOMBSTONED, event.recorded_at)
            due = None
        elif event.kind in BACK:
            lane.turn(LIVE, event.recorded_at)
            due = _instant(event, "until") if event.kind == "restored" else event.due_at
        elif event.kind == "expired_by_hand":
            due = event.recorded_at
        elif event.kind == "expiry_scheduled" and event.policy == policy:
            due = _scheduled(lane, event, due)
    _due_until(lane, due, now)
    return lane


def _scheduled(lane: Lane, event: Any, due: datetime | None) -> datetime | None:
    """When it ends by an entry of the agenda; one that lists it again says nothing new."""
    relisted = event.detail.get("relisted")
    if relisted == "gathered":
        return due  # said of it before, maybe before it went
    if lane.spans[-1].state == GONE:
        lane.turn(LIVE, event.recorded_at)  # written anew under the same key
    if relisted == "group":
        return due  # it is only looked at
    if relisted == "held":
        lane.turn(LIVE, event.recorded_at)
        return None
    if relisted and lane.spans[-1].state == TOMBSTONED:
        return None
    return event.due_at


def _due_until(lane: Lane, due: datetime | None, at: datetime) -> None:
    """It was due since then, if that was before `at`, and nobody had come."""
    if due and due < at and lane.spans[-1].state == LIVE:
        lane.turn(DUE, max(due, lane.spans[-1].since))


def _holds(events: list[Any]) -> list[Span]:
    """When something held it. A release lifts the holds that it names; those by date end then."""
    found: dict[int, Span] = {}
    for event in events:
        if event.kind == "hold_placed":
            found[event.pk] = Span("held", event.recorded_at, _instant(event, "until"))
        elif event.kind == "hold_released":
            for span in _named(found, event.detail.get("holds")):
                if span.until is None or span.until > event.recorded_at:
                    span.until = event.recorded_at
    return list(found.values())


def _named(holds: dict[int, Span], numbers: Any) -> list[Span]:
    named = numbers if isinstance(numbers, list) else []
    return [span for number, span in holds.items() if number in named]


def _done(events: list[Any]) -> list[Mark]:
    kinds = ("restored", "updated", "loaded", "blocked")
    return [
        Mark(
            event.kind,
            event.recorded_at,
            phrase("%(kind)s (event %(event)s)", kind=word(event.kind), event=event.pk),
        )
        for event in events
        if event.kind in kinds
    ]


def _instant(event: Any, name: str) -> datetime | None:
    return instant(event.detail.get(name))
