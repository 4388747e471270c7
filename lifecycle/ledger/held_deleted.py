"""Held rows that the site itself has deleted: told until their hold is released, or has passed.

Under `holds="engine"` the site's own code may delete a held row. Its `deleted` event then names the
holds that it has passed, and everything that shows holds says that the row is gone.
"""

from dataclasses import dataclass
from datetime import datetime

from lifecycle.db.connection import fetch, statement
from lifecycle.printable import in_utc


@dataclass(frozen=True)
class HeldDeleted:
    """One row that was deleted under one hold: by which event, when, by whom.

    `key` is empty under a hold on a whole policy; `rows` is how many of its table went.
    """

    hold: int
    policy: str
    model: str
    key: str
    rows: int
    event: int
    at: datetime
    actor: str

    @property
    def name(self) -> str:
        """The row, as people name it; of a hold on a policy, how many rows."""
        return f"{self.model}:{self.key}" if self.key else f"{self.rows} rows of {self.model}"

    @property
    def says(self) -> str:
        """What happened, in words."""
        by = f" by {self.actor}" if self.actor else ""
        return f"gone: the site itself deleted it at {in_utc(self.at)}{by} (event {self.event})"


def deleted_rows(rows: int) -> str:
    """How many, as the beginning of a sentence."""
    are = "1 held row was" if rows == 1 else f"{rows} held rows were"
    return f"{are} deleted by the site itself"


def without_a_row(gone: list[HeldDeleted]) -> int:
    """How many holds on rows have none: each counts once, however often its key was deleted."""
    return len({(each.hold, each.key) for each in gone if each.key})


def held_deleted(using: str) -> list[HeldDeleted]:
    """Every one whose hold is in force, the latest first."""
    return [HeldDeleted(*row) for row in fetch(using, statement(__file__, "held_deleted"))]
