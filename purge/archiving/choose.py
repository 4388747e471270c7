"""Choose the rows of an archive: those that a batch would end now.

The choice runs the worker's own batches, which lock and evaluate rows, hand over the keys of those
that they would end, and roll back. So one place decides what may go.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from lifecycle.db.connection import fetch, statement
from lifecycle.db.sql import array_text
from lifecycle.policy.policy import Policy
from purge.archive.table import Table
from purge.batch.archived import uncovered
from purge.batch.outcome import Outcome
from purge.batch.state import Batch
from purge.batch.subjects import Subjects
from purge.models import Archive
from purge.passes.options import PassOptions
from purge.passes.override import Override

NextBatch = Callable[[Policy, PassOptions, int | None, int], Outcome | None]

PART, BATCH = 1_000, 10_000  # rows


def chosen(
    table: Table, options: PassOptions, override: Override | None, next_batch: NextBatch, size: int
) -> Iterator[list[str]]:
    """The keys of rows that would end and are in no archive yet, at most `size` at a time."""
    found: list[str] = []

    def collect_keys(batch: Batch, subjects: Subjects) -> None:
        found.extend(uncovered(batch, subjects))

    probe = replace(
        options, dry=True, collect_keys=collect_keys, override=override, positions={}, reached=None
    )
    for _ in _batches(table.policy, probe, next_batch):
        while len(found) >= size:
            yield found[:size]
            del found[:size]
    if found:
        yield found


def _batches(policy: Policy, probe: PassOptions, next_batch: NextBatch) -> Iterator[None]:
    looked = 0
    while probe.limit is None or looked < probe.limit:
        rows = min(BATCH, probe.limit - looked) if probe.limit else BATCH
        done = next_batch(policy, probe, None, rows)
        if done is None:
            return
        looked += done.looked
        yield


def note_part(archive: Archive, using: str, keys: list[str]) -> None:
    """Store the keys of a part of an archive's rows."""
    params = {"archive": archive.pk, "keys": array_text(keys)}
    fetch(using, statement(__file__, "note_part"), params)
