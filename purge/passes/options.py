"""Options of one pass: who runs it, its limits, dry run; and how far it has come."""

import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import DEFAULT_DB_ALIAS

from purge.batch.outcome import Outcome
from purge.batch.state import BEGINNING, CollectKeys
from purge.passes.override import Override


@dataclass
class Planned:
    """A plan that is carried out: its number, the event that says so, who has it done.

    `digests` are the hashes that its parts must have, as the ledger's event has confirmed them.
    `along` counts, by model, what goes with its rows.
    """

    number: int
    digests: list[str]
    event: int | None = None
    actor: str = ""
    along: Counter[str] = field(default_factory=Counter)


@dataclass
class PassOptions:
    """Who runs a pass, its limits, and whether it is taken back.

    limit         rows to be looked at, at most
    since         entries that were due before are left alone
    deadline      of `time.monotonic()`; the batch under way is finished
    any_hour      whatever the policy's hours are: a person wants it now
    override      only this, instead of what is due
    plan          only the rows of this plan, instead of what is due
    reached       the key of the last row of the override that was evaluated; of a dry run of a
                  plan, the part and the row in it after which it goes on
    positions     where the sweeps of a dry run are
    collect_keys  of a choice for an archive: takes what would end
    """

    origin: str = "worker"
    actor: str = ""
    limit: int | None = None
    since: datetime = BEGINNING
    dry: bool = False
    using: str = DEFAULT_DB_ALIAS
    deadline: float | None = None
    any_hour: bool = False
    override: Override | None = None
    plan: Planned | None = None
    reached: str | None = None
    positions: "SweepPositions" = field(default_factory=dict)
    collect_keys: CollectKeys | None = None

    def __post_init__(self) -> None:
        # Of a dry run, which takes nothing off the agenda: the entries that it has seen.
        self.seen: list[int] | None = [] if self.dry else None
        self.slowed = False  # a pause of the throttle has ended the pass

    @property
    def is_over(self) -> bool:
        """Whether the pass has had its time."""
        return self.deadline is not None and time.monotonic() >= self.deadline

    def left(self, total: Outcome) -> int | None:
        """How many more rows may be looked at; None without a limit."""
        return None if self.limit is None else max(self.limit - total.looked, 0)

    def is_full(self, total: Outcome) -> bool:
        """Whether as many rows were looked at as were asked for."""
        return self.left(total) == 0


class FoundRows(NamedTuple):
    """Rows of one batch: how many, their keys, where the last one stands if any may follow."""

    number: int
    keys: str
    moment: str | None
    key: str | None


@dataclass
class SweepPosition:
    """How far a sweep has come: after the row that stands here. Lost, it costs a second look.

    due       the entries for which it began; others begin a new sweep
    began     the ledger's last number when it began: older entries of its windows are settled
    moment    the time of the row, and its key
    locked    whether it has passed rows that somebody else had locked
    wait      how long rows wait for an archive, where it has passed some that are in none
    ahead     the rows after that one, in parts of a batch: read once, locked and evaluated later
    """

    due: tuple[int, ...]
    began: int
    moment: str | None = None
    key: str | None = None
    locked: bool = False
    wait: timedelta = timedelta(0)
    ahead: tuple[FoundRows, ...] = ()


SweepPositions = dict[tuple[str, str], SweepPosition]  # by database and policy
