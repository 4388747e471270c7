"""Which of a batch's rows may be deleted: those that a verified archive holds as they are now.

The batch has locked the rows, so that they stay as they are until it commits. All others go back
onto the agenda, for the next archive.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from lifecycle import signals
from lifecycle.db.connection import fetch, scalar, statement
from lifecycle.policy.dispositions import Archive
from purge.archive.left import compared
from purge.archive.table import Table
from purge.batch.evaluate import Verdict
from purge.batch.state import Batch, CoveringArchive, send
from purge.batch.subjects import Subjects

SOON = timedelta(seconds=1)


@dataclass(frozen=True)
class Uncovered:
    """Rows that no verified archive holds: how many, and their keys as one array."""

    count: int = 0
    array: str | None = None


def is_archived(policy: Any) -> bool:
    """Whether rows of the policy go into an archive before they go."""
    return isinstance(policy.disposition, Archive)


def end_archived(batch: Batch, verdict: Verdict, act: Callable[[Batch, Verdict], None]) -> None:
    """Act on those rows that are in an archive; list the others again."""
    archives = _covering_all(batch, verdict.subjects) or _covering(batch, verdict.subjects)
    _relist_uncovered(batch, verdict.subjects, archives)
    for archive in archives:
        is_whole = archive.count == verdict.subjects.count
        keys = verdict.subjects.keys if is_whole else archive.keys
        subjects = verdict.subjects.narrowed(archive.count, keys)
        batch.archive = archive
        try:
            act(batch, verdict._replace(subjects=subjects))
        finally:
            batch.archive = None


def write_archived(batch: Batch, subjects: Subjects) -> Subjects:
    """Append `archived` for rows that an archive holds; the event of their end shares its set."""
    archive = batch.archive
    if archive is None:
        return subjects
    shown = {"snapshot": archive.snapshot} if archive.snapshot else {}
    event = batch.write(
        "archived", subjects,
        rows=archive.rows, verified=archive.verified, manifest=archive.manifest, **shown,
    )  # fmt: skip
    if signals.archived.has_listeners(batch.policy.model):
        send(batch, signals.archived, [event], subjects.count)
    return subjects if subjects.event else replace(subjects, event=event)


def uncovered(batch: Batch, subjects: Subjects) -> Uncovered:
    """The rows that no verified archive holds as they are now."""
    known = scalar(batch.using, statement(__file__, "any_archive"), batch.params(subjects))
    if not known and subjects.keys is not None:
        return Uncovered(subjects.count, subjects.keys)
    return _uncovered(batch, subjects, _covering(batch, subjects))


def _covering_all(batch: Batch, subjects: Subjects) -> list[CoveringArchive]:
    """The archive of which one part holds all of the rows, by their versions; none where none does.

    So it is for most batches, for those of the choice were the same: no row is joined or hashed.
    """
    table = Table(batch.policy, batch.using)
    parts = {"rows": subjects.where(batch.column), "believed": table.believed}
    text = table.sql(__file__, "covering_all", **parts)
    return [CoveringArchive(*row) for row in fetch(batch.using, text, batch.params(subjects))]


def _covering(batch: Batch, subjects: Subjects) -> list[CoveringArchive]:
    """The archives that hold some of the rows, each compared by itself."""
    table = Table(batch.policy, batch.using)
    parts = {"believed": table.believed, "hash": table.hash}
    text = table.sql(__file__, "covering", rows=subjects.where(batch.column), **parts)
    with compared(batch.using):
        return [CoveringArchive(*row) for row in fetch(batch.using, text, batch.params(subjects))]


def _uncovered(batch: Batch, subjects: Subjects, archives: list[CoveringArchive]) -> Uncovered:
    if sum(each.count for each in archives) == subjects.count:
        return Uncovered()
    table = Table(batch.policy, batch.using)
    text = table.sql(__file__, "uncovered", rows=subjects.where(batch.column))
    covered = ",".join(each.keys[1:-1] for each in archives)
    params = batch.params(subjects, covered=f"{{{covered}}}")
    return Uncovered(*fetch(batch.using, text, params)[0])


def _relist_uncovered(batch: Batch, subjects: Subjects, archives: list[CoveringArchive]) -> None:
    others = _uncovered(batch, subjects, archives)
    if others.count:
        again = scalar(batch.using, statement(__file__, "again"), {"policy": batch.policy.name})
        wait = max(SOON, again - batch.now) if again else SOON
        batch.source.relist(batch.keys(others.count, others.array), wait, relisted="archive")
