"""Held rows that the site itself has deleted: told until their hold is released, or has passed.

Under `holds="engine"` the site's own code may delete a held row. Its `deleted` event then names the
holds that it has passed, and everything that shows holds says that the row is gone.
"""

from dataclasses import dataclass
from datetime import datetime

from lifecycle.db.connection import fetch, statement
from lifecycle.phrases import at, counted, phrase


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
        if self.key:
            return f"{self.model}:{self.key}"
        return counted(
            "%(count)s rows of %(model)s",
            "%(count)s rows of %(model)s",
            self.rows,
            model=self.model,
        )

    @property
    def says(self) -> str:
        """What happened, in words."""
        about = {"time": at(self.at), "event": self.event}
        if not self.actor:
            return phrase("gone: the site itself deleted it at %(time)s (event %(event)s)", **about)
        return phrase(
            "gone: the site itself deleted it at %(time)s by %(actor)s (event %(event)s)",
            actor=self.actor,
            **about,
        )


def deleted_rows(rows: int) -> str:
    """How many, as the beginning of a sentence."""
    return counted(
        "%(count)s held row was deleted by the site itself",
        "%(count)s held rows were deleted by the site itself",
        rows,
    )


def without_a_row(gone: list[HeldDeleted]) -> int:
    """How many holds on rows have none: each counts once, however often its key was deleted."""
    return len({(each.hold, each.key) for each in gone if each.key})


def held_deleted(using: str) -> list[HeldDeleted]:
    """Every one whose hold is in force, the latest first."""
    return [HeldDeleted(*row) for row in fetch(using, statement(__file__, "held_deleted"))]
