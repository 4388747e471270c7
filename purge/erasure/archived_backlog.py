"""Erasures inside archives that are not done, in words that name no row."""

from datetime import datetime
from typing import NamedTuple

from lifecycle.db.connection import fetch, statement
from lifecycle.db.tables import tables_in
from lifecycle.hooks import Fact
from lifecycle.printable import in_utc, visible


class Left(NamedTuple):
    """Of one policy: erasures that are open, archives that were rewritten and are still there, the
    first deadline, whether it is over, and what they wait for."""

    policy: str
    erasures: int
    archives: int
    due_at: datetime | None
    is_late: bool
    is_stuck: bool
    error: str

    @property
    def says(self) -> str:
        """In a line, without the policy."""
        counts = [
            f"{self.erasures} erasures not done" if self.erasures else "",
            f"{self.archives} old archives not gone" if self.archives else "",
        ]
        due = f", due {in_utc(self.due_at)}" if self.due_at else ""
        late = " LATE" if self.is_late else ""
        error = f": {visible(self.error)}" if self.error else ""
        return f"{', '.join(filter(None, counts))}{due}{late}{error}"


def left(using: str) -> list[Left]:
    """By policy; none where nothing is left to do, or the tables are not in this database."""
    if "purge_archive_erasure" not in tables_in(using):
        return []
    return [Left(*row) for row in fetch(using, statement(__file__, "left"))]


def late(using: str) -> list[str]:
    """What is past its deadline: `verify` lists it."""
    return [f"{each.policy}: archives: {each.says}" for each in left(using) if each.is_late]


def stuck(using: str) -> list[tuple[str, str]]:
    """By policy, what did not work, or is late: `status` lists it."""
    found = [each for each in left(using) if each.is_stuck or each.is_late]
    return [(each.policy, f"rows erased in archives: {each.says}") for each in found]


def facts(using: str) -> list[Fact]:
    """How it stands; nothing where nothing is left to do."""
    found = left(using)
    is_problem = any(each.is_stuck or each.is_late for each in found)
    text = "; ".join(f"{each.policy}: {each.says}" for each in found)
    return [Fact("Erased in archives", f"{text}.", is_problem)] if found else []
