"""The rows of windows, in place of those that agenda entries list."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from lifecycle.compiler.policy_sql import compiled
from lifecycle.compiler.windows import window_params, windows_of, within
from lifecycle.db.connection import Placed, Raw, fetch, scalar
from lifecycle.ledger.windows_due import attempt
from purge.back_off import back_off
from purge.batch import act as rows
from purge.batch.expressions import OWN
from purge.batch.planner import in_order_of_index
from purge.batch.subjects import Subjects
from purge.passes.options import SweepPosition
from purge.sources.agenda import LOCKED_AGAIN, LONGEST_WAIT, AgendaEntries
from purge.sources.windows.entries import ClaimedWindows, nobody, settle

if TYPE_CHECKING:
    from purge.batch.state import Batch
    from purge.batch.verdict import Verdict


def _held(batch: "Batch", verdict: "Verdict") -> None:
    batch.outcome.held += verdict.subjects.count


def _kept(batch: "Batch", verdict: "Verdict") -> None:
    batch.outcome.kept += verdict.subjects.count


def _stays(batch: "Batch", verdict: "Verdict") -> None:
    """Its window lists it, or another window, or its key."""


STAYING = {
    "free": _stays,
    "later": _stays,
    "waiting": _stays,
    "tombstone": _stays,
    "held": _held,
    "kept": _kept,
}


class WindowRows(AgendaEntries):
    """Windows that a batch has taken; their rows had their grace, or have none."""

    read = OWN | {"grace": Raw("interval '0'")}
    acts = rows.ACTS | STAYING
    none_tombstoned = False

    def __init__(self, batch: "Batch", taken: ClaimedWindows, place: SweepPosition) -> None:
        self.batch, self.taken, self.place = batch, taken, place
        self.entries, self.attempts = list(taken.due), taken.attempts
        self.relisted, self.oldest = False, None
        self._tombstone, self._tombstones = (None, None), None

    def find(self, limit: int) -> Subjects | None:
        """The next rows; None when all were looked at."""
        params = self._params(rows=limit, last_moment=self.place.moment, last_key=self.place.key)

        def read(any_row: bool) -> Any:
            text = self._sql("sweep_find", any_row, after=Placed(self._after()))
            with in_order_of_index(self.batch.using):
                return fetch(self.batch.using, text, params)[0]

        count, keys, moment, key = attempt(self.batch.using, read)
        if not count:
            return None
        self.place.moment, self.place.key = moment, key
        return Subjects(compiled(self.batch.policy).key, count, keys=keys)

    def relist(
        self, subjects: Subjects, wait: timedelta, kind: str = "expiry_scheduled", **detail: Any
    ) -> None:
        """A blocked row is listed with its window; all others are left in it, and found there."""
        if detail.get("relisted") == "archive":
            self.place.wait = max(self.place.wait, wait)
        if kind != "blocked":
            return
        window = scalar(
            self.batch.using,
            self._sql("sweep_window", rows=subjects.where(self.batch.column)),
            self._params() | subjects.params,
        )
        self._list(kind, window, subjects, self.batch.now + wait, **detail)

    def relist_locked(self, subjects: Subjects) -> None:
        self.batch.outcome.locked += subjects.count
        self.place.locked = True

    def close(self) -> None:
        """List what is left of the windows, then take their entries off the agenda."""
        blocked = self._blocked()
        for window, why, count, due in self._left():
            count -= blocked.get(window, 0) if why == "left" else 0
            if count > 0:
                self._list_left(window, why, count, due)
        settle(self.batch, [e for e in self.taken.entries if e.event <= self.place.began])

    def _left(self) -> list[tuple[Any, ...]]:
        def read(any_row: bool) -> Any:
            name = "sweep_there" if any_row else "sweep_left"
            return fetch(self.batch.using, self._sql(name, any_row), self._params())

        return list(attempt(self.batch.using, read))

    def _blocked(self) -> dict[str, int]:
        """Rows of each window that this sweep has found blocked."""
        text = self.batch.sql(__file__, "sweep_blocked")
        return dict(fetch(self.batch.using, text, self._params(began=self.place.began)))

    def _list_left(self, window: str, why: str, count: int, due: Any) -> None:
        some = Subjects(compiled(self.batch.policy).key, count)
        if why == "kept":
            self._list("kept", window, some, due)
        elif why == "held":
            self._list("expiry_scheduled", window, some, due, relisted="held")
        else:
            wait = back_off(LOCKED_AGAIN, LONGEST_WAIT, self.attempts)
            relisted = "locked" if self.place.locked else "left"
            if self.place.wait:
                wait, relisted = self.place.wait, "archive"
            told = {"relisted": relisted, "attempts": self.attempts + 1}
            self._list("expiry_scheduled", window, some, self.batch.now + wait, **told)

    def _list(self, kind: str, window: str, subjects: Subjects, due: Any, **detail: Any) -> None:
        if tombstone := self.taken.tombstone(window):
            detail["tombstone"] = tombstone
        told, self.batch.told = self.batch.told, {}
        self.batch.write(kind, subjects, due, window=window, **detail)
        self.batch.told = told

    def _after(self) -> str:
        own, batch = windows_of(self.batch.policy), self.batch
        if self.place.moment is None:
            return "true"
        moment = "%(last_moment)s::text::timestamptz"
        key = f"%(last_key)s::text::{compiled(batch.policy).key.db_type}"
        own_column = str(Raw(own.moment))
        return f"{own_column} >= {moment} AND ({own_column}, {batch.column}) > ({moment}, {key})"

    def _sql(self, name: str, any_row: bool = False, **parts: Any) -> str:
        moment = Raw(windows_of(self.batch.policy).moment)
        return self.batch.sql(
            __file__, name, within=within(self.batch.policy, any_row), moment=moment, **parts
        )

    def _params(self, **others: Any) -> dict[str, Any]:
        base = self.batch.params(nobody(self.batch), recheck=self.batch.policy.recheck)
        return base | window_params(self.batch.policy, self.taken.windows) | others
