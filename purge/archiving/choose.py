"""Choose the rows of an archive: those that a batch would end now.

The choice runs the worker's own batches, which evaluate rows, hand over the keys of those that they
would end, and roll back. So one place decides what may go. It locks no row: what it finds is
evaluated again, under locks, before anything goes.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from django.db import DatabaseError

from lifecycle.db.connection import fetch
from lifecycle.db.pieces import most_of, take_fewer
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

CHOICE = "a choice for an archive"
PART, BATCH = 10_000, 10_000  # rows
WIDE, FEWEST = 16 * 2**20, 100  # bytes of the rows of a part; no part has fewer rows for that


@dataclass(frozen=True)
class Keys:
    """Some keys of a table, as the text of an array: from which place on, and how many."""

    array: str
    first: int
    count: int

    def parts(self, size: int, most: int, taken: int) -> Iterator["Keys"]:
        """Them in parts of `size`; where archives have `most` rows, and one has `taken` of them,
        no part is of two archives."""
        at = 0
        while at < self.count:
            count = min(size, most - taken, self.count - at)
            yield Keys(self.array, self.first + at, count)
            at += count
            taken = (taken + count) % most


def part_rows(table: Table, most: int) -> int:
    """The rows of a part: fewer where they are wide, for an archive ends only between parts."""
    if not table.width:
        return min(most, PART // 10)
    return max(min(most, int(WIDE / table.width)), min(most, FEWEST))


def chosen(
    table: Table, options: PassOptions, override: Override | None, next_batch: NextBatch
) -> Iterator[Keys]:
    """The keys of rows that would end and are in no archive yet, those of a batch at a time."""
    found: list[Keys] = []

    def collect_keys(batch: Batch, subjects: Subjects) -> None:
        left = uncovered(batch, subjects)
        if left.array:
            found.append(Keys(left.array, 1, left.count))

    probe = replace(
        options, dry=True, collect_keys=collect_keys, override=override, positions={}, reached=None
    )
    for done in _batches(table.policy, probe, next_batch):
        if done:  # else the server has stopped it, and its rows come once more
            yield from found
        found.clear()


def _batches(policy: Policy, probe: PassOptions, next_batch: NextBatch) -> Iterator[Outcome | None]:
    looked = 0
    while probe.limit is None or looked < probe.limit:
        rows = most_of(CHOICE, probe.using, policy.name, BATCH)
        rows = min(rows, probe.limit - looked) if probe.limit else rows
        try:
            done = next_batch(policy, probe, None, rows)
        except DatabaseError as error:
            take_fewer(error, CHOICE, probe.using, policy.name, rows)
            yield None
            continue
        if done is None:
            return
        looked += done.looked
        yield done


def note_part(table: Table, archive: Archive, keys: Keys) -> None:
    """Store the keys of a part of an archive's rows."""
    text = table.sql(__file__, "note_part")
    params = {"archive": archive.pk, "keys": keys.array, "first": keys.first, "count": keys.count}
    fetch(table.using, text, params)
