"""What the life of a row is, in plain Python: no database, no ledger, no agenda. Time is in hours.

`allowed` and `due` are bounds for a worker's pass: what it may end, and what it must have ended.
Between the two lie rows that were held or kept when they were looked at: they are looked at again
after a while, and their grace begins anew.
"""

from dataclasses import dataclass, field
from math import inf


@dataclass
class Row:
    """A row, and what was said about it. `tombstone`: the first pass that can have written one."""

    expires: float | None
    grace: float | None
    active: bool = True
    wanted: bool = False
    restored: float | None = None
    by_hand: float | None = None
    tombstone: float | None = None
    graces: list[float] = field(default_factory=list)
    loose: bool = False

    def ends(self, now: float) -> float | None:
        """When the row is past its end; None while nothing ends it or a restore spares it."""
        times = [time for time in (self.expires, self.by_hand) if time is not None]
        if not self.active or not times or (self.restored or 0) > now:
            return None
        return min(times) if self.restored is None else max(min(times), self.restored)

    def stoned(self, now: float) -> bool:
        """Whether a tombstone counts that a pass has given the row."""
        end = self.ends(now)
        return self.tombstone is not None and end is not None and self.tombstone >= end

    def changed(self) -> None:
        """Due time or `when` is another one: what was said before does not count any more."""
        self.restored = self.by_hand = self.tombstone = None
        self.loose = False


@dataclass
class World:
    """The rows of one policy, the holds on keys and on the policy."""

    now: float = 0.0
    rows: dict[int, Row] = field(default_factory=dict)
    holds: dict[int, tuple[int | None, float]] = field(default_factory=dict)
    paused: bool = False

    def is_held(self, key: int | None) -> bool:
        return any(of == key and until > self.now for of, until in self.holds.values())

    def is_past(self, key: int) -> bool:
        end = self.rows[key].ends(self.now)
        return end is not None and end <= self.now

    def tombstoned(self) -> set[int]:
        """The keys that `tombstoned()` gives; `live()` gives the others."""
        if self.is_held(None):
            return set()
        past = {key for key in self.rows if self.is_past(key)}
        return {key for key in past if not self.rows[key].wanted and not self.is_held(key)}

    def ending_within(self, span: float) -> set[int]:
        """The keys that an override ends which skips the grace."""
        return {
            key
            for key, row in self.rows.items()
            if row.active and not row.wanted and not self.is_held(key)
            and (row.restored or 0) <= self.now
            and row.expires is not None and row.expires - span <= self.now
        }  # fmt: skip

    def stops(self) -> bool:
        return self.paused or self.is_held(None)

    def look(self, whole: bool) -> tuple[set[int], set[int]]:
        """A worker's pass: the keys that may be gone after it, and those that must be.

        A pass that is not `whole` stops after some rows.
        """
        allowed: set[int] = set()
        due: set[int] = set()
        for key, row in self.rows.items():
            if self.stops() or not self.is_past(key):
                continue
            if row.wanted or self.is_held(key):
                row.loose = True
            elif row.grace is not None and row.grace <= 0 and not row.stoned(self.now):
                allowed.add(key)
                due |= {key} if whole and not row.loose else set()
            else:
                self._grace(key, row, whole, allowed, due)
        return allowed, due

    def _grace(self, key: int, row: Row, whole: bool, allowed: set[int], due: set[int]) -> None:
        row.loose = row.loose or not whole
        if not row.stoned(self.now):
            row.tombstone, row.graces = self.now, [inf if row.grace is None else row.grace]
        elif row.grace is not None and row.tombstone is not None:
            allowed |= {key} if row.tombstone + min(row.graces) <= self.now else set()
            due |= {key} if row.tombstone + max(row.graces) <= self.now and not row.loose else set()
