"""What one batch of the media step is about: orphaned files, and what is decided of each."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from purge.batch.outcome import Outcome

BATCH_NAMES = 1_000  # names in a batch, and in an event


@dataclass(frozen=True)
class OrphanedFile:
    """A name that no row showed any more when its event was written, `since` then."""

    name: str
    model: str
    field: str
    since: datetime
    attempts: int = 0
    observed: bool = False  # by the site, from a table whose policies only observe


class FileDecision(NamedTuple):
    """`kind` of event: `media_purged`, `kept` or `blocked`; `due`: when it is decided again."""

    orphan: OrphanedFile
    kind: str
    why: str = ""
    due: datetime | None = None


class ParkedEntry(NamedTuple):
    """An agenda entry whose event cannot be read."""

    entry: int
    event: int | None
    attempts: int


@dataclass
class MediaBatch:
    """What one batch knows while its transaction lasts."""

    using: str
    run: int | None
    now: datetime
    dry: bool
    skew: float  # seconds between this machine's clock and the database's
    orphans: dict[int, list[OrphanedFile]] = field(default_factory=dict)  # by agenda entry
    settled: list[int] = field(default_factory=list)
    parked: list[ParkedEntry] = field(default_factory=list)
    decisions: list[FileDecision] = field(default_factory=list)
    outcome: Outcome = field(default_factory=Outcome)
