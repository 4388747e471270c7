"""Windows that are due: which of them are swept now, and what becomes of their entries.

An entry of a window lists no rows. It goes when every row of the window was looked at and what is
left is listed anew, in the same transaction: held and kept rows until they are looked at again,
locked ones for a moment, a blocked one by itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from lifecycle import signals
from lifecycle.compiler.windows import windows_of
from lifecycle.db.connection import Query, fetch
from purge.batch.state import Batch, send

MOST_WINDOWS = 24  # of one sweep


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


def claim_windows(batch: Batch, seen: list[int]) -> ClaimedWindows:
    """Lock windows that are due, and begin graces that begin now; empty when nothing is due."""
    params = batch.params(batch.nobody, **windows_of(batch.policy).params)
    params |= {"seen": seen, "open": batch.open, "grace": batch.policy.grace}
    text = batch.sql(__file__, "claim")
    locked = [window for (window,) in fetch(batch.using, text, params | {"windows": MOST_WINDOWS})]
    claimed = ClaimedWindows()
    if locked:
        text = batch.sql(__file__, "entries")
        rows = fetch(batch.using, text, params | {"windows": locked})
        for window, entries in _by_window([Entry(*row) for row in rows]):
            _sort(batch, claimed, window, entries)
    return claimed


def _by_window(entries: list[Entry]) -> Iterator[tuple[str, list[Entry]]]:
    for window in sorted({entry.window for entry in entries}):
        yield window, [entry for entry in entries if entry.window == window]


def _sort(batch: Batch, claimed: ClaimedWindows, window: str, entries: list[Entry]) -> None:
    """What is done with one window: tombstoned, left to a later entry, or swept."""
    due = [entry for entry in entries if entry.due]
    if not due:
        return  # another worker came first
    if any(entry.tombstone is None for entry in due) and (batch.policy.grace or not batch.open):
        claimed.settled += _tombstone(batch, window, entries)
    elif any(entry.tombstoned and not entry.due for entry in entries):
        # Rows of it have come since: all go with the later tombstone.
        claimed.settled += settle(batch, due)
    elif late := [entry for entry in due if entry.waits]:
        claimed.settled += _wait(batch, window, due, late[-1])  # the grace is longer now
    elif batch.open:
        claimed.windows.append(window)
        claimed.entries += entries


def _tombstone(batch: Batch, window: str, entries: list[Entry]) -> list[int]:
    """The grace of all rows of the window begins, also of those that were kept or held before."""
    due = max(entry.until for entry in entries if entry.tombstone is None)
    settled = events_of(entries)
    event = batch.write("tombstoned", batch.nobody, due, settled, window=window)
    send(batch, signals.tombstoned, [event], 0)
    return settled


def _wait(batch: Batch, window: str, due: list[Entry], last: Entry) -> list[int]:
    detail: dict[str, Any] = {"window": window, "relisted": "grace", "tombstone": last.tombstone}
    batch.write("expiry_scheduled", batch.nobody, last.until, events_of(due), **detail)
    return events_of(due)


def settle(batch: Batch, entries: list[Entry]) -> list[int]:
    """Take entries off the agenda; the ledger says which."""
    fetch(batch.using, *settling(batch, entries))
    return events_of(entries)


def settling(batch: Batch, entries: list[Entry]) -> Query:
    """The statement of `settle`."""
    return batch.appending("settled", batch.nobody, {}, settled=events_of(entries))


def events_of(entries: list[Entry]) -> list[int]:
    """The numbers of entries."""
    return [entry.event for entry in entries]
