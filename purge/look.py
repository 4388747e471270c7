"""The second half of a batch: what is to be done with rows that are locked."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from lifecycle.compile import is_named
from lifecycle.db import Raw, fetch

from .subjects import Subjects

if TYPE_CHECKING:
    from .batch import Batch


#: how a row's own end and grace are read; an override reads them otherwise
OWN = {
    "due": Raw("lifecycle.finite_v1(due::timestamptz)"),
    "grace": Raw("make_interval(secs => extract(epoch FROM grace))"),  # a day is 24 hours
    "listed": Raw("'free'"),
}
#: what keeps a row where the conditions have names: of one expired by hand, not those named then
KEEP = {
    "keeps": Raw("keeps"),
    "keep": Raw("coalesce(NOT state.keeps <@ excepted.without, keep)"),
    "named": Raw(
        "(SELECT ARRAY(SELECT jsonb_array_elements_text(detail -> 'without')) FROM lifecycle_event"
        " WHERE id = event_id AND detail ? 'without')"
    ),
}
UNNAMED = {"keeps": Raw("NULL"), "keep": Raw("keep"), "named": Raw("NULL::text[]")}


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
    return "tombstone" in names and batch.picked.relisted


def _look(batch: "Batch", subjects: Subjects, search: bool) -> list[Verdict]:
    read = batch.override.read if batch.override else batch.picked.read
    where, stones = subjects.where("state.key"), batch.picked.stones()
    policy = batch.policy
    keep = KEEP if is_named(policy) and not batch.override else UNNAMED
    text = batch.sql("look", rows=where, stones=stones, **read, **keep)
    params = batch.params(
        subjects, search=search, entries=batch.picked.entries, resolution=policy.resolution,
        recheck=policy.recheck, open=batch.open, within=batch.override and batch.override.within,
        **batch.picked.stone_params(),
    )  # fmt: skip
    return [
        Verdict(verdict, stone, subjects.narrowed(count, keys), due, dues)
        for verdict, stone, count, due, keys, dues in fetch(batch.using, text, params)
    ]
