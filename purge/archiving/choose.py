"""Which rows go into an archive: those that a batch would end now, by the batch's own look.

Each batch of the choice is one that is taken back: it locks, looks, notes the keys of what it would
end, and rolls back. So there is one place that says what may go.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from lifecycle.db.connection import fetch, scalar, statement
from lifecycle.db.literals import array_text
from purge.archive.table import Table
from purge.batch.archived import uncovered
from purge.models import Archive

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from purge.batch.outcome import Outcome
    from purge.batch.state import Batch
    from purge.batch.subjects import Subjects
    from purge.passes.options import PassOptions
    from purge.passes.override import Override

    NextBatch = Callable[[Any, "PassOptions", Any, int], Outcome | None]


PART = 1_000  # rows
BATCH = 10_000  # rows


def chosen(
    table: Table,
    how: "PassOptions",
    override: "Override | None",
    next_batch: "NextBatch",
    size: int,
) -> Iterator[list[str]]:
    """The keys of rows that would end and are in no archive yet, at most `size` at a time."""
    found: list[str] = []

    def collect_keys(batch: "Batch", subjects: "Subjects") -> None:
        found.extend(uncovered(batch, subjects))

    probe = replace(
        how, dry=True, collect_keys=collect_keys, override=override, positions={}, reached=None
    )
    for _ in _batches(table, probe, next_batch):
        while len(found) >= size:
            yield found[:size]
            del found[:size]
    if found:
        yield found


def _batches(table: Table, probe: "PassOptions", next_batch: "NextBatch") -> Iterator[None]:
    looked = 0
    while probe.limit is None or looked < probe.limit:
        rows = min(BATCH, probe.limit - looked) if probe.limit else BATCH
        done = next_batch(table.policy, probe, None, rows)
        if done is None:
            return
        looked += done.looked
        yield


def note(archive: Archive, using: str, keys: list[str]) -> None:
    """Note a part of an archive's rows."""
    number = scalar(using, _NUMBER, {"archive": archive.pk})
    params = {"archive": archive.pk, "number": number, "keys": array_text(keys)}
    fetch(using, statement(__file__, "note"), params)


_NUMBER = (
    "SELECT coalesce(max(number), 0) + 1 FROM purge_archive_part WHERE archive_id = %(archive)s"
)
