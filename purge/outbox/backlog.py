"""What subscribers have not answered, in words."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lifecycle.db.connection import fetch, statement
from lifecycle.hooks import Fact
from lifecycle.phrases import at, joined, number, phrase
from lifecycle.printable import visible
from purge.outbox.subscribers import subscriber, subscribers


@dataclass(frozen=True)
class Waiting:
    """Of one subscriber: lines and rows of which it has not answered, and since when."""

    subscriber: str
    policy: str
    events: int
    rows: int
    since: datetime
    attempts: int
    error: str

    @property
    def says(self) -> str:
        """In a line, without the policy."""
        name: str = visible(self.subscriber)
        if not subscriber(self.subscriber):
            name = phrase("%(name)s, which no code declares any more", name=name)
        said = phrase(
            "%(name)s: %(rows)s rows of %(events)s events since %(time)s, %(attempts)s attempts",
            name=name,
            rows=number(self.rows),
            events=number(self.events),
            time=at(self.since),
            attempts=self.attempts,
        )
        if not self.error:
            return said
        return phrase("%(said)s, fails by %(error)s", said=said, error=visible(self.error))


def waiting(using: str, late: bool = False) -> list[Waiting]:
    """By subscriber and policy, those that have waited longest first; with `late` only what was not
    answered within its time, or is of nobody any more."""
    names = {each.name: each.within for each in subscribers()}
    params: dict[str, Any] = {"late": late, "names": list(names), "withins": list(names.values())}
    return [Waiting(*row) for row in fetch(using, statement(__file__, "waiting"), params)]


def unanswered(using: str) -> list[str]:
    """What was not answered within its time, in words: `verify` lists it."""
    return [f"{each.policy or '(went along)'}: {each.says}" for each in waiting(using, late=True)]


def facts(using: str) -> list[Fact]:
    """How the subscribers stand; nothing where there are none."""
    found = waiting(using)
    if not found and not subscribers():
        return []
    if not found:
        return [Fact(phrase("Copies elsewhere"), phrase("All that were told have answered."))]
    is_late = bool(waiting(using, late=True))
    said = joined("", [joined("; ", [each.says for each in found]), "."])
    return [Fact(phrase("Copies elsewhere"), said, is_late)]


def oldest(using: str) -> datetime | None:
    """Since when something waits: events from then on are needed."""
    ((since,),) = fetch(using, statement(__file__, "oldest"))
    return since
