"""What stops a mistake before it is large: caps, states, the clock."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import DEFAULT_DB_ALIAS

from lifecycle.compile import compiled
from lifecycle.db import Placed, Raw, fetch, scalar, statement
from lifecycle.fingerprint import fingerprint
from lifecycle.models import PolicyState
from lifecycle.policy import Policy

from .errors import Halt

if TYPE_CHECKING:
    from .batch import Batch

#: how far the database's clock may run ahead of this machine's before everything stops
CLOCK_TOLERANCE = timedelta(seconds=60)


def may_act(policy: Policy, known: tuple[Any, ...]) -> bool:
    """Whether the policy ends rows now: enabled, not held, and declared as the database has it."""
    state, stored, _, held, _, _ = known
    return state == PolicyState.State.ENABLED and not held and stored == fingerprint(policy)


def cap_of(policy: Policy, using: str) -> int:
    """The most rows that may end in 24 hours: a number or a share of the table."""
    table = {"table": compiled(policy).tables[0]}
    estimate = scalar(using, statement(__file__, "table_rows"), table)
    return max(policy.cap_rows, int(policy.cap_fraction * estimate))


def check_cap(policy: Policy, using: str = DEFAULT_DB_ALIAS) -> None:
    """Raise `Halt` when what is due now is more than the cap leaves: before the first row."""
    left = room(policy, using)
    name = {"policy": policy.name}
    if scalar(using, statement(__file__, "due_entries"), name) <= left:
        return
    code = compiled(policy)
    parts = {"state_sql": Raw(code.state_sql), "type": Placed(code.key.db_type)}
    text = statement(__file__, "due_rows", **parts)
    if scalar(using, text, name | {"most": left + 1}) > left:
        raise Halt("cap", f"more than {left} rows are due", left=left, cap=cap_of(policy, using))


def room(policy: Policy, using: str) -> int:
    """How many rows may still end in this window of 24 hours."""
    text = statement(__file__, "room")
    spent, allowed = fetch(using, text, {"policy": policy.name})[0]
    return max(0, cap_of(policy, using) + allowed - spent)


def spend(batch: "Batch") -> None:
    """Count the batch's rows inside its transaction; one too many takes the batch back.

    The last statement of a batch: batches of one policy wait for one another from here to the
    commit, which is short.
    """
    if not batch.outcome.fresh:
        return
    fetch(batch.using, "SELECT set_config('lock_timeout', '10s', true)")
    params = {"policy": batch.policy.name, "now": batch.now, "rows": batch.outcome.fresh}
    spent, allowed = fetch(batch.using, batch.sql("spend"), params)[0]
    if spent > allowed + batch.policy.cap_rows and spent > allowed + cap_of(
        batch.policy, batch.using
    ):
        raise Halt("cap", f"{spent} rows in 24 hours", spent=int(spent))


class ClockGuard:
    """Stops when the database's clock outruns this machine's monotonic clock.

    A database that believes it is next year would end everything at once. The machine's clock
    counts time asleep where the system has such a clock, so that a laptop that wakes is no alarm.
    """

    def __init__(self, clock: Callable[[], float] | None = None) -> None:
        self.clock = clock or _boottime
        self.last: tuple[datetime, float] | None = None

    def check(self, now: datetime) -> None:
        """Compare with the reading before; raises `Halt`."""
        before, self.last = self.last, (now, self.clock())
        if before is None:
            return
        ahead = (now - before[0]) - timedelta(seconds=self.last[1] - before[1])
        if ahead > CLOCK_TOLERANCE:
            raise Halt("clock", f"the database's clock jumped ahead by {ahead}")


def _boottime() -> float:
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


_guard = ClockGuard()


def check_clock(now: datetime) -> None:
    """This process's guard."""
    _guard.check(now)
