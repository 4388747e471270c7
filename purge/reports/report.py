"""A report: what ended in the last days, the state of each policy, and the next 30 days.

    reports(days=7)   one `Report` for each database that has a ledger

Counts what happened from the ledger, reads the rest as `lifecycle status` does, changes nothing.
Names, times and counts: no value of a row, no key.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from lifecycle.db.connection import fetch, scalar, statement
from lifecycle.insight import forecast
from lifecycle.insight.media_status import media_status
from lifecycle.insight.status import Status, statuses
from lifecycle.ledger.held_deleted import held_deleted, without_a_row
from lifecycle.models import RowException
from lifecycle.policy.databases import served
from lifecycle.policy.registry import all_policies

DAYS = 7
KINDS = ("tombstoned", "purged", "archived", "updated", "restored")
COUNTED = dict(zip(KINDS, KINDS, strict=True)) | {"media_purged": "files"}  # -> field of `Line`


@dataclass
class Line:
    """One policy, or a table without one whose rows went along. In rows; `files` in files.

    held, blocked, lag   of this moment; the lag in seconds, None where nothing waits
    soon                 how many go on each of the next 30 days, by the agenda
    at_most              blocked and soon are the agenda's own figures, which also count rows that
                         are gone
    """

    policy: str
    table: str
    state: str = ""
    tombstoned: int = 0
    purged: int = 0
    archived: int = 0
    updated: int = 0
    restored: int = 0
    files: int = 0
    held: int = 0
    blocked: int = 0
    lag: float | None = None
    at_most: bool = False
    soon: dict[date, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    @property
    def next_days(self) -> int:
        """All that go in the next 30 days."""
        return sum(self.soon.values())


@dataclass
class Report:
    """One database, from `since` until `until`; `held` are the holds in force, each once."""

    database: str
    since: datetime
    until: datetime
    lines: list[Line]
    held: int = 0

    @property
    def total(self) -> Line:
        """All policies together; the lag is the longest."""
        names = (*COUNTED.values(), "blocked")
        sums: Any = {name: sum(getattr(line, name) for line in self.lines) for name in names}
        lags = [line.lag for line in self.lines if line.lag is not None]
        return Line("all", "", held=self.held, lag=max(lags, default=None), soon=self.soon, **sums)

    @property
    def soon(self) -> dict[date, int]:
        """How many rows go on each of the next 30 days."""
        days = sorted({day for line in self.lines for day in line.soon})
        return {day: sum(line.soon.get(day, 0) for line in self.lines) for day in days}

    @property
    def at_most(self) -> list[str]:
        """The policies whose figures of what is to come are the most that there can be."""
        return [line.policy for line in self.lines if line.at_most]

    @property
    def problems(self) -> list[str]:
        """What is wrong, each with the name of its policy."""
        return [f"{line.policy}: {problem}" for line in self.lines for problem in line.problems]


def reports(days: int = DAYS, databases: Iterable[str] | None = None) -> list[Report]:
    """A report for each database; of all that are served where none is named."""
    return [report(days, using) for using in (served() if databases is None else databases)]


def report(days: int, using: str) -> Report:
    """The last days of one database, by its own clock."""
    until = scalar(using, "SELECT lifecycle.now_v1()")
    since = until - timedelta(days=days)
    known = [*statuses(using), *media_status(using)]
    lines = {each.policy: _line(each, until, using) for each in known}
    params: dict[str, Any] = {"since": since, "until": until, "kinds": [*COUNTED]}
    params["first"] = scalar(using, statement(__file__, "first_event"), {"since": since})
    for policy, table, kind, count in fetch(using, statement(__file__, "counts"), params):
        # Rows that went along with others have a line of their table, without a policy.
        line = lines.setdefault(policy or f"{table} along", Line(policy, table))
        setattr(line, COUNTED[kind], getattr(line, COUNTED[kind]) + count)
    holds = RowException.objects.using(using).filter(kind="hold").exclude(until__lte=until)
    held = holds.count() - without_a_row(held_deleted(using))
    return Report(using, since, until, sorted(lines.values(), key=_order), held)


def _order(line: Line) -> tuple[bool, str, str]:
    return (not line.policy, line.policy, line.table)


def _line(status: Status, now: datetime, using: str) -> Line:
    declared = {policy.name: policy for policy in all_policies()}
    policy = declared.get(status.policy)
    line = Line(status.policy, status.table, status.state, problems=status.problems)
    line.held, line.blocked, line.lag = status.held, status.blocked, status.lag
    line.at_most = status.at_most
    if policy is not None and status.acts:
        line.soon = forecast.days(policy, now, using)
    return line
