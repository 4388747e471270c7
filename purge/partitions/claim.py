"""Which partition is tried next, and what becomes of its entries on the agenda."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from lifecycle.db.connection import Query, fetch, statement
from purge.batch.state import Batch
from purge.batch.subjects import Subjects


@dataclass
class ClaimedPartition:
    """The agenda entries of one partition, locked: what another worker has is not tried twice.

    until     the upper bound of its rows, by which it is found; None: entries that list rows by
              their keys, which were released, and those of partitions that wait for a hold
    entries   their numbers
    attempts  how often it could not go
    """

    until: str | None
    entries: list[int] = field(default_factory=list)
    attempts: int = 0
    name: str = ""

    def settling(self, batch: Batch) -> Query:
        """The statement that takes the entries off the agenda."""
        return batch.appending("settled", batch.nobody, {}, settled=self.entries)

    def relist(
        self,
        batch: Batch,
        rows: int,
        wait: timedelta,
        kind: str = "expiry_scheduled",
        **detail: Any,
    ) -> None:
        """List the partition again after a while, in the place of its entries."""
        detail |= {"window": self.until} if self.until else {}
        detail |= {"partition": self.name} if self.name else {}
        subjects = Subjects(batch.code.key, max(rows, 1))
        batch.append(kind, subjects, detail, batch.now + wait, settled=self.entries)


def claim(batch: Batch, seen: list[int]) -> ClaimedPartition | None:
    """Lock the entries of the partition that is due first; None when nothing is due."""
    params = {"policy": batch.policy.name, "now": batch.now, "seen": seen}
    first = fetch(batch.using, statement(__file__, "first"), params)
    if not first:
        return None
    claimed = ClaimedPartition(first[0][1])
    text = statement(__file__, "entries")
    for event, attempts, name in fetch(batch.using, text, params | {"window": claimed.until}):
        claimed.entries.append(event)
        claimed.attempts = max(claimed.attempts, attempts)
        claimed.name = name or claimed.name
    return claimed
