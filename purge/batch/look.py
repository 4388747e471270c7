"""The second half of a batch: what is to be done with rows that are locked."""

from datetime import timedelta
from typing import TYPE_CHECKING

from lifecycle.db.connection import fetch
from purge.batch.expressions import KEEP, UNNAMED
from purge.batch.subjects import Subjects
from purge.batch.verdict import Verdict

if TYPE_CHECKING:
    from purge.batch.state import Batch


def look(batch: "Batch", subjects: Subjects) -> list[Verdict]:
    """What is to be done with each row, by everything that is committed now."""
    if batch.override:
        return _look(batch, subjects, search=True)
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
    return "tombstone" in names and batch.source.relisted


def _look(batch: "Batch", subjects: Subjects, search: bool) -> list[Verdict]:
    read = batch.override.read if batch.override else batch.source.read
    where, tombstones = subjects.where("state.key"), batch.source.tombstones()
    policy = batch.policy
    keep = KEEP if policy.conditions and not batch.override else UNNAMED
    text = batch.sql(__file__, "look", rows=where, tombstones=tombstones, **read, **keep)
    params = batch.params(
        subjects, search=search, entries=batch.source.entries, resolution=policy.resolution,
        recheck=policy.recheck, open=batch.open, within=batch.override and batch.override.within,
        **batch.source.tombstone_params(),
    )  # fmt: skip
    return [
        Verdict(verdict, tombstone, subjects.narrowed(count, keys), due, dues)
        for verdict, tombstone, count, due, keys, dues in fetch(batch.using, text, params)
    ]
