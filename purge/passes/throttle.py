"""Slows passes down while the database is under pressure, so that nobody notices the deletes.

Between batches, never within one. A pause of a second before the next batch, twice as long each
time that there is still pressure, half a minute at most; none any more as soon as there is none. So
a policy that is slowed down goes on, a batch at a time. Where its own batches are the reason, a
pause is no longer than one. Of one process: each worker pauses by itself. A site may also have it
rest after each batch, whatever the database says.

A policy is measured after so many rows, not more than four times a second, after a pause, and after
a small batch that took too long. So one that finds little, and is quick, is never measured, nor
slowed down.
"""

import time
from collections import defaultdict
from dataclasses import dataclass, field

from lifecycle.conf import REST
from lifecycle.db.connection import fetch, statement
from lifecycle.logs import Log
from lifecycle.policy.policy import Policy
from lifecycle.telemetry import throttled
from purge.passes import pressure
from purge.passes.options import PassOptions

FEW = 10_000  # rows between two measurements
OFTEN = 0.25  # seconds between them, however quick the batches are: measuring costs a tenth of one
FIRST, LONGEST = 1.0, 30.0  # seconds
OWN = "batch_time"

log = Log("purge")


@dataclass
class Place:
    """A policy of a database: how it is slowed down.

    rows      looked at since the last measurement
    batch     seconds of the last batch, where it was as small as batches get
    sample    where the WAL was at the last measurement
    reasons   the measures that were over their limits then
    pause     the last pause, in seconds; 0 without pressure
    rested    before that, of `time.monotonic()`, it rests after its last batch
    until     before that, of `time.monotonic()`, no batch begins
    waited    seconds of all pauses since pressure began
    """

    rows: int = 0
    batch: float = 0.0
    sample: pressure.Sample | None = None
    reasons: dict[str, float] = field(default_factory=dict)
    pause: float = 0.0
    rested: float = 0.0
    until: float | None = None
    waited: float = 0.0


_places: dict[tuple[str, str], Place] = defaultdict(Place)


def may_begin(policy: Policy, options: PassOptions) -> bool:
    """Whether a batch may begin; waits for it as long as the pass has time.

    False when the pass would be over before: its policy is woken again.
    """
    limits = pressure.limits()
    if options.dry or not limits:
        return True
    place = _places[options.using, policy.name]
    slow = place.batch > limits.get(OWN, place.batch)
    if place.until is None and (place.pause or _is_time(place) or slow):
        _look(place, policy, options.using)
    options.slowed = not _wait(place, options.deadline)
    return not options.slowed


def _is_time(place: Place) -> bool:
    is_old = place.sample is None or time.monotonic() - place.sample.at >= OFTEN
    return place.rows >= FEW and is_old


def note_batch(policy: Policy, using: str, rows: int, seconds: float, is_smallest: bool) -> None:
    """A batch is over: the rows it looked at, how long it took, whether batches get no smaller."""
    place = _places[using, policy.name]
    place.rows += rows
    place.batch = seconds if is_smallest else 0.0
    rest = seconds * pressure.limits().get(REST, 0.0)
    # Only where it rests: the clock of a host's tests may be set to a later time, and then back.
    place.rested = time.monotonic() + rest if rest else 0.0


def slowed(using: str) -> dict[str, list[str]]:
    """By policy: what slows it down at this moment and since when, in words; of all workers."""
    found: dict[str, list[str]] = defaultdict(list)
    for policy, reason, measured, since in fetch(using, statement(__file__, "slowed")):
        found[policy].append(pressure.in_words(reason, measured, since))
    return found


def _look(place: Place, policy: Policy, using: str) -> None:
    """Measure; under pressure set the next pause, and let people see it."""
    measures, place.sample = pressure.measure(policy, using, place.sample)
    before, place.reasons = place.reasons, pressure.over(measures | {OWN: place.batch})
    place.rows, place.pause = 0, _pause(place)
    if place.pause:
        place.until = time.monotonic() + place.pause
        place.waited += place.pause
        params = {"policy": policy.name, "seconds": place.pause}
        params |= {"reasons": [*place.reasons], "measured": [*place.reasons.values()]}
        fetch(using, statement(__file__, "note"), params)
        throttled(policy.name, using, [*place.reasons], place.pause)
    _log(place, before, policy.name, using)


def _pause(place: Place) -> float:
    if not place.reasons:
        return 0.0
    longest = place.batch if place.reasons.keys() == {OWN} else LONGEST
    return min(place.pause * 2 or FIRST, longest)


def _wait(place: Place, deadline: float | None) -> bool:
    until = max(place.until or 0.0, place.rested)
    if deadline is not None and deadline < until:
        return False
    time.sleep(max(until - time.monotonic(), 0.0))
    place.until = None
    return True


def _log(place: Place, before: dict[str, float], policy: str, using: str) -> None:
    """Once when pressure begins or is another, once when it is over."""
    named = {"policy": policy, "database": using}
    if place.reasons and place.reasons.keys() != before.keys():
        why = "; ".join(pressure.in_words(*each) for each in place.reasons.items())
        cause = " ".join(place.reasons)
        log("throttled", f"{policy}: slowed down: {why}", **named, cause=cause)
    elif before and not place.reasons:
        text = f"{policy}: no longer slowed down, after {place.waited:.0f} s"
        log("unthrottled", text, **named, seconds=round(place.waited, 1))
        place.waited = 0.0
