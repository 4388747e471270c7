"""The second half of a batch: what is to be done with rows that are locked."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from lifecycle.db import fetch

from .subjects import Subjects

if TYPE_CHECKING:
    from .batch import Batch


@dataclass(frozen=True)
class Verdict:
    """One class of rows: what is to be done with them, and when (`dues`: each its own time)."""

    name: str
    stone: int | None
    subjects: Subjects
    due: datetime | None
    dues: str | None


def look(batch: "Batch", subjects: Subjects) -> list[Verdict]:
    """What is to be done with each row, by everything that is committed now."""
    verdicts = _look(batch, subjects, search=False)
    if _may_be_tombstoned(batch, {each.name for each in verdicts}):
        # Rows that were tombstoned before keep that tombstone, where it still counts.
        verdicts = _look(batch, subjects, search=True)
    return verdicts


def _may_be_tombstoned(batch: "Batch", names: set[str]) -> bool:
    """Whether another entry may list these rows under a tombstone.

    A row whose own grace is none now may have had one when it was tombstoned.
    """
    own_grace = batch.policy.disposition.hides and not isinstance(batch.policy.grace, timedelta)
    if own_grace and ("end" in names or ("tombstone" in names and not batch.open)):
        return True
    return "tombstone" in names and batch.picked.relisted


def _look(batch: "Batch", subjects: Subjects, search: bool) -> list[Verdict]:
    text = batch.sql("look", rows=subjects.where("state.key"), stones=batch.picked.stones())
    policy = batch.policy
    params = batch.params(
        subjects, search=search, entries=batch.picked.entries, resolution=policy.resolution,
        recheck=policy.recheck, open=batch.open, **batch.picked.stone_params(),
    )  # fmt: skip
    return [
        Verdict(verdict, stone, subjects.narrowed(count, keys), due, dues)
        for verdict, stone, count, due, keys, dues in fetch(batch.using, text, params)
    ]
