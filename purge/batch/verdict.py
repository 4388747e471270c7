"""Verdict."""

from dataclasses import dataclass
from datetime import datetime

from purge.batch.subjects import Subjects


@dataclass(frozen=True)
class Verdict:
    """One class of rows: what is to be done with them, and when (`dues`: each its own time)."""

    name: str
    tombstone: int | None
    subjects: Subjects
    due: datetime | None
    dues: str | None
