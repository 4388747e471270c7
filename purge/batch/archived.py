"""What of a batch's rows may be deleted: what a verified archive holds as it is now.

The batch has locked the rows, so that they stay as they are until it commits. Everything else goes
back onto the agenda, for the next archive.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from lifecycle import signals
from lifecycle.compiler.policy_sql import compiled
from lifecycle.db.connection import fetch, scalar, statement
from lifecycle.policy.dispositions import Archive
from purge.archive.table import Table, exact
from purge.batch.notify import send
from purge.batch.state import Covered
from purge.batch.subjects import Subjects

if TYPE_CHECKING:
    from purge.batch.state import Batch
    from purge.batch.verdict import Verdict


SOON = timedelta(seconds=1)
ENDS = ("end", "purge")


def is_archived(policy: Any) -> bool:
    """Whether rows of the policy go into an archive before they go."""
    return isinstance(policy.disposition, Archive)


def end(batch: "Batch", verdict: "Verdict", act: "Callable[[Batch, Verdict], None]") -> None:
    """Act on those rows that are in an archive; list the others again."""
    found = _covered(batch, verdict.subjects)
    _relist_others(batch, verdict.subjects, found)
    for each in found:
        whole = each.number == verdict.subjects.count
        keys = verdict.subjects.keys if whole else each.keys
        subjects = verdict.subjects if whole else verdict.subjects.narrowed(each.number, keys)
        told, batch.archive = batch.told, each
        batch.told = told | {"archive": each.archive}
        try:
            act(batch, replace(verdict, subjects=subjects))
        finally:
            batch.told, batch.archive = told, None


def tell(batch: "Batch", subjects: Subjects) -> Subjects:
    """Append `archived`; the event of the end shares its set."""
    archive = batch.archive
    if archive is None:
        return subjects
    event = batch.write("archived", subjects, rows=archive.rows, verified=archive.verified)
    if signals.archived.has_listeners(batch.policy.model):
        send(batch, signals.archived, [event], subjects.count)
    return subjects if subjects.event else replace(subjects, event=event)


def uncovered(batch: "Batch", subjects: Subjects) -> list[str]:
    """The keys, as text, of rows that no verified archive holds as they are now."""
    return _others(batch, subjects, _covered(batch, subjects))[2]


def _covered(batch: "Batch", subjects: Subjects) -> list[Covered]:
    table = Table(batch.policy, batch.using)
    text = table.sql(__file__, "covered", hash=table.hash, rows=subjects.where(batch.column))
    with exact(batch.using):
        return [Covered(*row) for row in fetch(batch.using, text, batch.params(subjects))]


def _others(
    batch: "Batch", subjects: Subjects, found: list[Covered]
) -> tuple[int, str | None, list[str]]:
    if sum(each.number for each in found) == subjects.count:
        return 0, None, []
    table = Table(batch.policy, batch.using)
    text = table.sql(__file__, "except", rows=subjects.where(batch.column))
    covered = ",".join(each.keys[1:-1] for each in found)
    count, keys, told = fetch(batch.using, text, batch.params(subjects, covered=f"{{{covered}}}"))[
        0
    ]
    return count, keys, told or []


def _relist_others(batch: "Batch", subjects: Subjects, found: list[Covered]) -> None:
    count, keys, _ = _others(batch, subjects, found)
    if count:
        again = scalar(batch.using, statement(__file__, "again"), {"policy": batch.policy.name})
        wait = max(SOON, again - batch.now) if again else SOON
        others = Subjects(compiled(batch.policy).key, count, keys=keys)
        batch.source.relist(others, wait, relisted="archive")
