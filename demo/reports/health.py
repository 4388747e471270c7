"""How the suppressions stand, what became of them in a week, what comes next. No address."""

from dataclasses import dataclass
from datetime import timedelta

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Count, Q

from demo.models import EmailSuppression
from lifecycle.db.connection import fetch, statement
from purge.reports.report import Line, Report, reports

DAYS = 7
DOMAINS = 10
POLICIES = ("soft-bounces", "stale-bounces")


@dataclass
class Health:
    """Counts of suppressions, and the engine's reports of the same days.

    kinds     each kind with its active and its inactive ones
    domains   those with the most active suppressions
    new       first bounced since then
    next_deactivated, next_deleted
              what falls due in as many days to come, by the agenda
    """

    kinds: list[tuple[str, int, int]]
    domains: list[tuple[str, int]]
    new: int
    deactivated: int
    deleted: int
    next_deactivated: int
    next_deleted: int
    engine: list[Report]

    @property
    def total(self) -> int:
        return sum(active + inactive for _, active, inactive in self.kinds)


def health(days: int = DAYS) -> Health:
    """Of the last days, by the database's clock. Changes nothing."""
    engine = reports(days)
    here = next(each for each in engine if each.database == DEFAULT_DB_ALIAS)
    lines = {line.policy: line for line in here.lines}
    soft, stale = (lines.get(name, Line(name, "")) for name in POLICIES)
    new = EmailSuppression.objects.filter(first_bounce_at__gte=here.since)
    return Health(
        _kinds(), _domains(), new.count(), soft.updated, stale.purged,
        _next(soft, here, days), _next(stale, here, days), engine,
    )  # fmt: skip


def _kinds() -> list[tuple[str, int, int]]:
    active = Count("pk", filter=Q(active=True))
    rows = EmailSuppression.objects.values("kind").annotate(active=active, all=Count("pk"))
    found = {row["kind"]: (row["active"], row["all"] - row["active"]) for row in rows}
    return [(str(kind), *found.get(kind, (0, 0))) for kind in EmailSuppression.Kind.values]


def _domains() -> list[tuple[str, int]]:
    text = statement(__file__, "suppressed_domains")
    return [(domain, count) for domain, count in fetch(DEFAULT_DB_ALIAS, text, {"most": DOMAINS})]


def _next(line: Line, report: Report, days: int) -> int:
    last = (report.until + timedelta(days=days)).date()
    return sum(count for day, count in line.soon.items() if day <= last)
