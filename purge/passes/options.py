"""How a pass is made: what everything that a pass calls is told of it."""

import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import DEFAULT_DB_ALIAS

from purge.batch.outcome import Outcome
from purge.batch.override import Override
from purge.batch.state import BEGINNING


@dataclass
class PassOptions:
    """How a pass is made: by whom, how far, and whether it is taken back."""

    origin: str = "worker"
    actor: str = ""
    limit: int | None = None
    since: Any = BEGINNING
    dry: bool = False
    using: str = DEFAULT_DB_ALIAS
    deadline: float | None = None  # of time.monotonic(); the batch under way is finished
    any_hour: bool = False  # whatever the policy's hours are: a person wants it now
    override: Override | None = None  # only this, instead of what is due
    places: "SweepPositions" = field(default_factory=dict)  # where the sweeps of a dry run are
    collect_keys: Any = None  # of a choice for an archive: takes what would end

    def __post_init__(self) -> None:
        self.seen: list[int] | None = [] if self.dry else None

    @property
    def is_over(self) -> bool:
        """Whether the pass has had its time."""
        return self.deadline is not None and time.monotonic() >= self.deadline

    def is_full(self, total: Outcome) -> bool:
        """Whether as many rows were looked at as were asked for."""
        return self.limit is not None and total.looked >= self.limit


@dataclass
class SweepPosition:
    """How far a sweep has come: after the row that stands here. Lost, it costs a second look.

    began     the ledger's last number when it began: older entries of its windows are settled
    locked    whether it has passed rows that somebody else had locked
    wait      how long rows wait for an archive, where it has passed some that are in none
    """

    due: tuple[int, ...]
    began: int
    moment: str | None = None
    key: str | None = None
    locked: bool = False
    wait: timedelta = timedelta(0)


SweepPositions = dict[tuple[str, str], SweepPosition]
