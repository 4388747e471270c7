"""The rows of windows: everything in a window that is due, by the table's own index.

As any batch: a short transaction that finds rows, locks them, evaluates them in a later statement
and acts. Only the finding differs. A sweep goes through its windows batch by batch, in the order of
the rows' ends; where it is, is this process's own: a killed worker's sweep begins anew, and finds
what is left.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import DEFAULT_DB_ALIAS, DatabaseError

from lifecycle.compiler.keys import subjects_of
from lifecycle.compiler.windows import window_params, windows_of, within
from lifecycle.db.connection import Placed, Query, Raw, fetch, scalar
from lifecycle.db.sql import array_text
from lifecycle.ledger.windows_due import attempt, list_windows, windowed_at
from lifecycle.logs import Log
from lifecycle.policy.databases import with_rows
from lifecycle.policy.policy import Policy
from purge.back_off import back_off
from purge.batch import act, brakes
from purge.batch.brakes import PolicyStanding
from purge.batch.evaluate import NO_GRACE, NO_TOMBSTONE, ONE_TOMBSTONE, expressions_of
from purge.batch.state import Batch, latest_event
from purge.batch.subjects import Subjects, in_order_of_index
from purge.passes.options import FoundRows, PassOptions, SweepPosition, SweepPositions
from purge.sources.agenda import FIRST_WAIT, LONGEST_WAIT
from purge.sources.windows.entries import ClaimedWindows, claim_windows, settling

MOST_BATCHES, MOST_KEYS = 10, 100_000  # that are read ahead

log = Log("purge")
_positions: SweepPositions = {}


@dataclass(frozen=True)
class LeftRows:
    """Rows that are left of a window: held, kept, or left for another reason, and until when."""

    window: str
    reason: str
    count: int
    due: datetime


class WindowRows:
    """The next rows of windows that a batch has claimed; they had their grace, or have none."""

    relisted = False
    searches = False
    only_tombstones = False
    tombstones = ONE_TOMBSTONE
    tombstone_params: dict[str, Any] = NO_TOMBSTONE
    acts: dict[str, Any] = act.ACTS | {"tombstone": act.stay}

    def __init__(self, batch: Batch, windows: ClaimedWindows, options: PassOptions) -> None:
        self.batch, self.windows, self.options = batch, windows, options
        self.entries, self.attempts = array_text(windows.due), windows.attempts
        self.expressions = expressions_of(batch.policy) | {"grace": NO_GRACE}
        self.subjects, self.is_last = batch.nobody, True
        self.position = self._position() if windows.windows else None

    def _position(self) -> SweepPosition:
        """A copy of where this sweep stands, which counts when the batch is committed."""
        before = self._positions.get((self.batch.using, self.batch.policy.name))
        if before and before.due == self.windows.due:
            return replace(before)
        return SweepPosition(self.windows.due, latest_event(self.batch.using))

    @property
    def _positions(self) -> SweepPositions:
        return self.options.positions if self.options.dry else _positions

    def find(self, position: SweepPosition, limit: int) -> None:
        """Take the next rows; those after which none may follow are the last ones.

        Read ahead, in the order of the index, which does not give that of the keys: where many
        rows end at one moment, each reading sorts all of them.
        """
        if not position.ahead or position.ahead[0].number > limit:
            position.ahead = self._read(position, limit)
        if not position.ahead:
            return
        found, *ahead = position.ahead
        position.ahead, self.is_last = tuple(ahead), found.key is None
        position.moment, position.key = found.moment, found.key
        self.subjects = self.batch.keys(found.number, found.keys)

    def _read(self, position: SweepPosition, limit: int) -> tuple[FoundRows, ...]:
        after = {"last_moment": position.moment, "last_key": position.key}
        most = limit * max(1, min(MOST_BATCHES, MOST_KEYS // limit))
        params = self._params(rows=limit, most=most, **after)

        def read(any_row: bool) -> Any:
            text = self._sql("next_rows", any_row, after=Placed(self._after(position)))
            with in_order_of_index(self.batch.using):
                return fetch(self.batch.using, text, params)

        return tuple(FoundRows(*row) for row in attempt(self.batch.using, read))

    def _after(self, position: SweepPosition) -> str:
        if position.moment is None:
            return "true"
        own, batch = Raw(windows_of(self.batch.policy).moment), self.batch
        moment = "%(last_moment)s::text::timestamptz"
        key = f"%(last_key)s::text::{batch.code.key.cast}"
        return f"{own} >= {moment} AND ({own}, {batch.column}) > ({moment}, {key})"

    def relist(
        self, subjects: Subjects, wait: timedelta, kind: str = "expiry_scheduled", **detail: Any
    ) -> None:
        """A blocked row is listed with its window; all others are left in it, and found there."""
        if detail.get("relisted") == "archive" and self.position:
            self.position.wait = max(self.position.wait, wait)
        if kind != "blocked":
            return
        text = self._sql("window_of", rows=subjects.where(self.batch.column))
        window = scalar(self.batch.using, text, self._params() | subjects.params)
        self._list(kind, window, subjects, self.batch.now + wait, **detail)

    def relist_locked(self, subjects: Subjects) -> None:
        """They are left in their window."""
        self.batch.outcome.locked += subjects.count
        if self.position:
            self.position.locked = True

    def closing(self) -> list[Query]:
        """After the last rows: list what is left of the windows, then settle their entries."""
        if not (self.is_last and self.position) or self.batch.collect_keys:
            return []  # a choice for an archive settles nothing
        blocked = self._blocked(self.position)
        for left in self._left():
            count = left.count - (blocked.get(left.window, 0) if left.reason == "left" else 0)
            if count > 0:
                self._list_left(self.position, replace(left, count=count))
        began = self.position.began
        return [settling(self.batch, [e for e in self.windows.entries if e.event <= began])]

    def _left(self) -> list[LeftRows]:
        def read(any_row: bool) -> Any:
            name = "left_unread" if any_row else "left"
            keys = Placed(subjects_of(self.batch.code.key, "array_agg(key)"))
            text = self._sql(name, any_row, subjects=keys)
            return fetch(self.batch.using, text, self._params())

        return [LeftRows(*row) for row in attempt(self.batch.using, read)]

    def _blocked(self, position: SweepPosition) -> dict[str, int]:
        """Rows of each window that this sweep has found blocked."""
        text = self.batch.sql(__file__, "blocked")
        return dict(fetch(self.batch.using, text, self._params(began=position.began)))

    def _list_left(self, position: SweepPosition, left: LeftRows) -> None:
        rows = Subjects(self.batch.code.key, left.count)
        if left.reason == "kept":
            self._list("kept", left.window, rows, left.due)
        elif left.reason == "held":
            self._list("expiry_scheduled", left.window, rows, left.due, relisted="held")
        else:
            wait = position.wait or back_off(FIRST_WAIT, LONGEST_WAIT, self.attempts)
            reason = "archive" if position.wait else "locked" if position.locked else "left"
            detail = {"relisted": reason, "attempts": self.attempts + 1}
            self._list("expiry_scheduled", left.window, rows, self.batch.now + wait, **detail)

    def _list(self, kind: str, window: str, subjects: Subjects, due: Any, **detail: Any) -> None:
        detail |= {"window": window}
        if tombstone := self.windows.tombstone(window):
            detail["tombstone"] = tombstone
        self.batch.append(kind, subjects, detail, due)

    def committed(self) -> None:
        """Remember where the sweep stands; a dry run is not to see again what it has settled."""
        place = (self.batch.using, self.batch.policy.name)
        if self.position and not self.is_last:
            self._positions[place] = self.position
            return
        self._positions.pop(place, None)
        if self.options.seen is not None:
            self.options.seen.extend([*self.windows.settled, *self.windows.due])

    def _sql(self, name: str, any_row: bool = False, **parts: Any) -> str:
        policy = self.batch.policy
        parts |= {"within": within(policy, any_row), "moment": Raw(windows_of(policy).moment)}
        return self.batch.sql(__file__, name, **parts)

    def _params(self, **others: Any) -> dict[str, Any]:
        base = self.batch.params(self.batch.nobody, recheck=self.batch.policy.recheck)
        return base | window_params(self.batch.policy, self.windows.windows) | others


def claim(batch: Batch, options: PassOptions, rows: int) -> WindowRows | None:
    """Lock windows that are due and find their next rows; None when nothing is due."""
    windows = claim_windows(batch, options.seen or [])
    if not (windows.windows or windows.settled):
        return None
    source = WindowRows(batch, windows, options)
    if source.position:
        batch.detail = {"windows": windows.windows}
        source.find(source.position, rows)
    return source


def find_windows(using: str = DEFAULT_DB_ALIAS) -> None:
    """Put windows on the agenda that have rows past their end, and came past it.

    Such rows were written past the triggers, or committed just after their window was done with.
    An error of one policy is logged, and keeps no other from its windows.
    """
    for policy in with_rows(using, windowed_at(using)):
        found = brakes.standing(policy, using, any_hour=True)
        if found in (PolicyStanding.ACTS, PolicyStanding.OBSERVES):
            try:
                list_windows(policy, using, past=True)
            except DatabaseError:
                text = f"{policy.name}: its windows cannot be listed"
                log("run_failed", text, policy=policy.name, database=using)


def is_under_way(policy: Policy, using: str) -> bool:
    """Whether this process is in the middle of windows of the policy."""
    return (using, policy.name) in _positions
