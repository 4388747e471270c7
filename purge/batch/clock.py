"""What stops a policy when the database's clock jumps: a brake beside those of `brakes`."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from django.db import DEFAULT_DB_ALIAS

from purge.exceptions import Halt

TOLERANCE = timedelta(seconds=60)  # by which the database's clock may outrun this machine's
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)

_guards: dict[str, "ClockGuard"] = {}  # by database


class ClockGuard:
    """Stops when the database's clock outruns this machine's monotonic clock.

    A database that believes it is next year would end everything at once. The machine's clock
    counts time asleep where the system has such a clock, so that a laptop that wakes is no alarm.
    Each policy is stopped once for a jump: who resumes it says that the new time is right.
    """

    def __init__(self, clock: Callable[[], float] | None = None) -> None:
        self.clock = clock or _boottime
        self.calm: timedelta | None = None
        self.leads: dict[str, timedelta] = {}

    def check(self, now: datetime, policy: str = "") -> None:
        """Compare with the policy's reading before, or with anybody's; raises `Halt`."""
        # How far the database is ahead of this machine, plus a constant.
        lead = now - EPOCH - timedelta(seconds=self.clock())
        before = self.leads.get(policy, self.calm)
        self.leads[policy] = lead
        if before is not None and lead - before > TOLERANCE:
            raise Halt("clock", f"the database's clock jumped ahead by {lead - before}")
        self.calm = lead


def _boottime() -> float:
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def check_clock(now: datetime, policy: str, using: str = DEFAULT_DB_ALIAS) -> None:
    """This process's guard of a database: two servers' clocks need not agree."""
    _guards.setdefault(using, ClockGuard()).check(now, policy)
