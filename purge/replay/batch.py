"""What one batch of a replay is about, how its rows are locked, and why one cannot go."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import OperationalError, transaction

from lifecycle.db.connection import sqlstate
from lifecycle.ledger.context import context
from purge.batch import failures
from purge.batch.evaluate import lock_rows
from purge.batch.state import Batch
from purge.batch.subjects import Subjects
from purge.exceptions import HeldBelow

if TYPE_CHECKING:
    from purge.replay.model import Replay


Judged = tuple[int, Any, int, str, str]  # number, key, event, verdict, why


@dataclass(frozen=True)
class Group:
    """Rows of one table of which the same kind of ending is to be repeated."""

    model: str
    kind: str
    by: str
    names: str
    updates: str


@dataclass
class ReplayBatch(Batch):
    """One batch of rows to be ended again, under any policy of their table."""

    group: Group = field(kw_only=True)
    waits: bool = field(kw_only=True, default=False)

    @property
    def ending(self) -> str:
        return self.group.kind

    @property
    def by(self) -> str:
        return self.group.by

    @property
    def patient(self) -> bool:
        return self.waits


def as_replay(replay: "Replay") -> Any:
    return context(actor=replay.actor, cause="replay", using=replay.using)


def lock(batch: ReplayBatch, subjects: Subjects) -> Subjects:
    """Lock the rows in key order; a row that somebody else has is left out."""
    strength = "FOR NO KEY UPDATE" if batch.group.updates else "FOR UPDATE"
    for skip in ("", " SKIP LOCKED") if batch.waits else (" SKIP LOCKED",):
        try:
            with transaction.atomic(using=batch.using):
                return lock_rows(batch, subjects, strength + skip)
        except OperationalError:
            continue
    return subjects.narrowed(0, "{}")


def refused(row: tuple[int, Any, int], error: Exception) -> Judged:
    """A row that cannot go: why, in names."""
    if failures.is_contended(error):
        return (*row, "locked", "somebody else has locked it or what goes along")
    if isinstance(error, HeldBelow) or sqlstate(error) == "23001":
        return (*row, "held", "what would go along is held")
    why = failures.reason(error)
    return (*row, "blocked", ", ".join(str(v) for k, v in why.items() if k != "sqlstate"))
