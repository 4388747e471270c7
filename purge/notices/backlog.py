"""What mails that warn of ends have not gone, in words."""

from dataclasses import dataclass
from datetime import datetime

from lifecycle.db.connection import fetch, statement
from lifecycle.hooks import Fact
from lifecycle.phrases import at, counted, joined, number, phrase
from lifecycle.policy.registry import all_policies
from lifecycle.printable import visible

FAILS = 3  # attempts after which it is a problem
TRIED = 24  # looks at a row that waits for its notices, the last ones an hour apart: most of a day
MANY = 20  # mails waived in a day from which on it is a problem, where they are half of all


@dataclass(frozen=True)
class Waiting:
    """Mails about rows of one policy that have not gone."""

    policy: str
    mails: int
    since: datetime
    attempts: int
    error: str

    @property
    def is_failing(self) -> bool:
        return bool(self.error) and self.attempts >= FAILS

    @property
    def says(self) -> str:
        """In a line, without the policy."""
        said = counted(
            "%(mails)s has not gone, the oldest since %(time)s",
            "%(mails)s have not gone, the oldest since %(time)s",
            self.mails,
            mails=number(self.mails),
            time=at(self.since),
        )
        if not self.error:
            return said
        last = phrase("the last error is %(error)s", error=visible(self.error))
        return joined(", ", [said, last])


def waiting(using: str) -> list[Waiting]:
    """By policy; nothing where all have gone."""
    names = _names()
    if not names:
        return []
    found = fetch(using, statement(__file__, "waiting"), {"policies": names})
    return [Waiting(*row) for row in found]


def _names() -> list[str]:
    return [each.name for each in all_policies() if each.notice]


def failing(using: str) -> list[Waiting]:
    """Those of which a mail has failed several times: the ends of their rows wait."""
    return [each for each in waiting(using) if each.is_failing]


def stuck(using: str) -> list[tuple[str, str]]:
    """Policies of which mails stay away or go to nobody without an error, and what is wrong."""
    names = _names()
    if not names:
        return []
    params = {"policies": names, "tried": TRIED}
    stopped = []
    for policy, rows, waived, mails in fetch(using, statement(__file__, "stuck"), params):
        if rows:
            stopped.append((policy, _unsent(rows)))
        if waived >= MANY and waived * 2 >= mails:
            stopped.append((policy, _waived(waived, mails)))
    return stopped


def _unsent(rows: int) -> str:
    return phrase(
        "notices: no mail has gone for a day, and rows past their end wait for theirs: %(rows)s",
        rows=number(rows),
    )


def _waived(waived: int, mails: int) -> str:
    return phrase(
        "notices: %(waived)s of %(mails)s mails of the last 24 hours were waived, and their rows"
        " will end: is it the mail server, or `to`?",
        waived=number(waived),
        mails=number(mails),
    )


def facts(using: str) -> list[Fact]:
    """How the notices stand; nothing where no policy gives any."""
    if not _names():
        return []
    found = waiting(using)
    ((went, waived, rows),) = fetch(using, statement(__file__, "lately"))
    told = [
        phrase(
            "%(went)s went in 24 hours, %(waived)s were waived",
            went=number(went),
            waived=number(waived),
        )
    ]
    told += [joined(": ", [visible(each.policy), each.says]) for each in found]
    told += [_kept_up(rows)] if rows else []
    said = joined("", [joined("; ", told), "."])
    return [Fact(phrase("Notices"), said, any(each.is_failing for each in found))]


def _kept_up(rows: int) -> str:
    return counted(
        "%(rows)s rows past their end wait for theirs",
        "%(rows)s rows past their end wait for theirs",
        rows,
        rows=number(rows),
    )
