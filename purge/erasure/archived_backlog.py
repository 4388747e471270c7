"""Erasures inside archives that are not done, in words that name no row."""

from datetime import datetime
from typing import NamedTuple

from lifecycle.db.connection import fetch, statement
from lifecycle.db.tables import tables_in
from lifecycle.hooks import Fact
from lifecycle.phrases import at, joined, phrase
from lifecycle.printable import visible


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
        said: list[str] = []
        if self.erasures:
            said.append(phrase("erasures not done: %(count)s", count=self.erasures))
        if self.archives:
            said.append(phrase("old archives not gone: %(count)s", count=self.archives))
        if self.due_at and self.is_late:
            said.append(phrase("LATE, due %(time)s", time=at(self.due_at)))
        elif self.due_at:
            said.append(phrase("due %(time)s", time=at(self.due_at)))
        told = joined(", ", said)
        return joined(": ", [told, visible(self.error)]) if self.error else told


def left(using: str) -> list[Left]:
    """By policy; none where nothing is left to do, or the tables are not in this database."""
    if "purge_archive_erasure" not in tables_in(using):
        return []
    return [Left(*row) for row in fetch(using, statement(__file__, "left"))]


def late(using: str) -> list[str]:
    """What is past its deadline: `verify` lists it."""
    return [
        phrase("%(policy)s: archives: %(says)s", policy=each.policy, says=each.says)
        for each in left(using)
        if each.is_late
    ]


def stuck(using: str) -> list[tuple[str, str]]:
    """By policy, what did not work, or is late: `status` lists it."""
    found = [each for each in left(using) if each.is_stuck or each.is_late]
    return [(e.policy, phrase("rows erased in archives: %(says)s", says=e.says)) for e in found]


def facts(using: str) -> list[Fact]:
    """How it stands; nothing where nothing is left to do."""
    found = left(using)
    is_problem = any(each.is_stuck or each.is_late for each in found)
    text = joined("; ", [joined(": ", [each.policy, each.says]) for each in found])
    return [Fact(phrase("Erased in archives"), text, is_problem)] if found else []
