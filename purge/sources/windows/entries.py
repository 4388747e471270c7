"""Windows that are due: which of them are swept now, and what becomes of their entries.

An entry of a window lists no rows. It goes when every row of the window was looked at and what is
left is listed anew, in the same transaction: held and kept rows until they are looked at again,
locked ones for a moment, a blocked one by itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from lifecycle import signals
from lifecycle.compiler.policy_sql import compiled
from lifecycle.compiler.windows import windows_of
from lifecycle.db.connection import fetch
from purge.batch.notify import send
from purge.batch.subjects import Subjects

if TYPE_CHECKING:
    from purge.batch.state import Batch


AT_ONCE = 24  # windows of one sweep


class Entry(NamedTuple):
    """An agenda entry of a window; `waits`: its tombstone's grace lasts until `until`."""

    event: int
    window: str
    due: bool
    tombstoned: bool
    attempts: int
    tombstone: int | None
    waits: bool
    until: datetime


@dataclass
class ClaimedWindows:
    """The windows that a batch has to itself and sweeps, with all their entries."""

    windows: list[str] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    settled: list[int] = field(default_factory=list)  # entries that were settled on the way

    @property
    def due(self) -> tuple[int, ...]:
        """What makes this sweep the same as the one before."""
        return tuple(entry.event for entry in self.entries if entry.due)

    @property
    def attempts(self) -> int:
        """How often some row of them could not be locked, or not go."""
        return max((entry.attempts for entry in self.entries), default=0)

    def tombstone(self, window: str) -> int | None:
        """The tombstone of a window."""
        return max(
            (e.tombstone for e in self.entries if e.window == window and e.tombstone), default=None
        )


def take(batch: "Batch", seen: list[int]) -> ClaimedWindows | None:
    """Lock windows that are due; None when nothing is. Begins graces that begin now."""
    own, grace = windows_of(batch.policy), batch.policy.grace
    params = batch.params(nobody(batch), **own.params) | {"seen": seen, "open": batch.open}
    params |= {"windows": AT_ONCE, "grace": grace}
    locked = [window for (window,) in fetch(batch.using, batch.sql(__file__, "sweep_pick"), params)]
    if not locked:
        return None
    params["windows"] = locked
    entries = [
        Entry(*row) for row in fetch(batch.using, batch.sql(__file__, "sweep_entries"), params)
    ]
    taken = ClaimedWindows()
    for window, own_entries in _by_window(entries):
        _sort(batch, taken, window, own_entries)
    return taken


def nobody(batch: "Batch") -> Subjects:
    """A set of no rows: of an event about a window."""
    return Subjects(compiled(batch.policy).key, 0)


def _by_window(entries: list[Entry]) -> Iterator[tuple[str, list[Entry]]]:
    for window in sorted({entry.window for entry in entries}):
        yield window, [entry for entry in entries if entry.window == window]


def _sort(batch: "Batch", taken: ClaimedWindows, window: str, entries: list[Entry]) -> None:
    """What is done with one window: tombstoned, left to a later entry, or swept."""
    due = [entry for entry in entries if entry.due]
    if not due:
        return  # another worker came first
    if any(entry.tombstone is None for entry in due) and (batch.policy.grace or not batch.open):
        taken.settled += _tombstone(batch, window, entries)
    elif any(entry.tombstoned and not entry.due for entry in entries):
        # Rows of it have come since: all go with the later tombstone.
        taken.settled += settle(batch, due)
    elif late := [entry for entry in due if entry.waits]:
        taken.settled += _wait(batch, window, due, late[-1])  # the grace is longer now
    elif batch.open:
        taken.windows.append(window)
        taken.entries += entries


def _tombstone(batch: "Batch", window: str, entries: list[Entry]) -> list[int]:
    """The grace of all rows of the window begins, also of those that were kept or held before."""
    due = max(entry.until for entry in entries if entry.tombstone is None)
    settled = events_of(entries)
    event = batch.write("tombstoned", nobody(batch), due, settled, window=window)
    send(batch, signals.tombstoned, [event], 0)
    return settled


def _wait(batch: "Batch", window: str, due: list[Entry], last: Entry) -> list[int]:
    told: dict[str, Any] = {"window": window, "relisted": "grace", "tombstone": last.tombstone}
    batch.write("expiry_scheduled", nobody(batch), last.until, events_of(due), **told)
    return events_of(due)


def settle(batch: "Batch", entries: list[Entry]) -> list[int]:
    """Take entries off the agenda; the ledger says which."""
    batch.write("settled", nobody(batch), settled=events_of(entries))
    return events_of(entries)


def events_of(entries: list[Entry]) -> list[int]:
    """The numbers of entries."""
    return [entry.event for entry in entries]
