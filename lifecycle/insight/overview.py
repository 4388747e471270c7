"""Is it well, what ends next, what is stuck and why, what is held: of one database, at a glance.

Asks a number of questions that does not grow with the policies, and reads of each table no more
than is shown, by an index. Changes nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction

from lifecycle.conf import conf
from lifecycle.db.connection import fetch, statement
from lifecycle.hints import database_option
from lifecycle.hooks import Fact, facts
from lifecycle.insight import capped
from lifecycle.insight.amounts import Amount
from lifecycle.insight.capped import Counts
from lifecycle.insight.days import Days, last_days
from lifecycle.insight.status import Status, statuses
from lifecycle.insight.words import span
from lifecycle.ledger.caps import used_caps
from lifecycle.phrases import counted, joined, number, phrase
from lifecycle.policy.policy import Policy
from lifecycle.policy.registry import all_policies


@dataclass
class Line:
    """One policy: how it stands, its counts as far as they were counted, and of its cap what it
    has used in 24 hours and what there is; None of a policy that this code does not declare.
    """

    status: Status
    counts: Counts
    used: int | None = None
    cap: int | None = None

    @property
    def used_percent(self) -> int | None:
        """Of the cap, at most 100; None where it has none."""
        return min(100, 100 * (self.used or 0) // self.cap) if self.cap else None

    @property
    def next_at(self) -> datetime | None:
        """When the worker looks at it next: what is due waits for its purge hours."""
        times = [time for time in (self.status.next_due, self.status.opens_at) if time]
        return max(times) if self.status.next_due and self.status.acts else None


@dataclass
class Overview:
    """One database at the moment `now` of its own clock.

    lines     those of policies with a problem first, then those that have rows
    problems  what somebody should do something about, each with the policy or part that it is of
    """

    database: str
    now: datetime
    lines: list[Line]
    facts: list[Fact]
    days: Days
    problems: list[tuple[str, str]] = field(default_factory=list)

    @property
    def next(self) -> Line | None:
        """The policy that the worker looks at next."""
        waiting = [line for line in self.lines if line.next_at]
        return min(waiting, key=lambda line: line.next_at or self.now, default=None)

    def ends(self, span: str) -> Amount:
        """Rows that end within a `day`, a `week` or a `month`, of policies that end rows; one that
        two policies end counts twice."""
        acting = (line for line in self.lines if line.status.acts)
        return sum((getattr(line.counts, span) for line in acting), Amount(0))


def overview(using: str, shown: Callable[[list[str]], list[str]] = list) -> Overview:
    """All of it. `shown` makes of the names of rows those that may be read."""
    declared = {policy.name: policy for policy in all_policies()}
    with transaction.atomic(using=using):
        read = capped.read(using, declared, len(declared))
        found = statuses(using, lines=read.lines, shown=shown)
        now = read.now or fetch(using, "SELECT lifecycle.now_v1()")[0][0]
        told = [*_own_facts(found, using), *facts(using)]
        lines = _lines(found, read.counts, declared, using)
        days = last_days(now, using)
    return Overview(using, now, lines, told, days, _problems(found, told))


def _lines(
    found: list[Status], counts: dict[str, Counts], declared: dict[str, Policy], using: str
) -> list[Line]:
    known = [declared[each.policy] for each in found if each.policy in declared]
    caps = used_caps(known, using)
    lines = [
        Line(each, counts.get(each.policy, Counts()), *caps.get(each.policy, ())) for each in found
    ]
    return sorted(lines, key=lambda line: (not line.status.problems, not line.status.has_rows))


def _problems(found: list[Status], told: list[Fact]) -> list[tuple[str, str]]:
    """What is wrong with all policies alike is said once."""
    by_text: dict[str, list[str]] = {}
    for each in found:
        for text in each.problems:
            by_text.setdefault(text, []).append(each.policy)
    several = {text: _policies(len(names)) for text, names in by_text.items() if len(names) > 3}
    policies = [(several.get(text, ", ".join(names)), text) for text, names in by_text.items()]
    return [(fact.part, fact.says) for fact in told if fact.problem] + policies


def _policies(number: int) -> str:
    return counted("%(count)s policies", "%(count)s policies", number)


def _own_facts(found: list[Status], using: str) -> list[Fact]:
    """What is known without the app that acts."""
    ((events, stopped),) = fetch(using, statement(__file__, "ledger_size"))
    blind = sorted(each.policy for each in found if each.blind_to)
    gaps = any("are not recorded" in problem for each in found for problem in each.problems)
    said = [phrase("On every table of a policy.")]
    if gaps:
        said = [phrase("Writes to some tables are not recorded.")]
    if blind:
        names = ", ".join(blind)
        said.append(phrase("By signals, which do not see every write: %(names)s.", names=names))
    return [
        Fact(phrase("Ledger"), _events(events)),
        Fact(phrase("Triggers"), joined(" ", said)),
        _backups(),
        *([Fact(phrase("Switch"), _stopped(using), True)] if stopped else []),
    ]


def _events(events: int) -> str:
    if not events:
        return phrase("No event was counted yet.")
    return counted(
        "About %(events)s events.", "About %(events)s events.", events, events=number(events)
    )


def _stopped(using: str) -> str:
    command = f"`manage.py lifecycle resume --all{database_option(using)}`"
    return phrase(
        "All policies are paused, and no file goes: %(command)s lets them go on.", command=command
    )


def _backups() -> Fact:
    if conf.BACKUP_MAX_AGE is None:
        said = phrase("How long they are kept is not said: LIFECYCLE_BACKUP_MAX_AGE.")
        return Fact(phrase("Backups"), said)
    kept = span(timedelta(seconds=conf.BACKUP_MAX_AGE))
    said = phrase("Kept %(time)s: what has ended is in them as long.", time=kept)
    return Fact(phrase("Backups"), said)
