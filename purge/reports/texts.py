"""A report as plain text, as HTML and as a mail."""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext, ngettext, override
from django.utils.translation import gettext_lazy as _

from lifecycle import rendering
from lifecycle.phrases import day as on_day
from lifecycle.phrases import lasting, minute, translated, word
from lifecycle.printable import visible
from purge.alerts.mail import send
from purge.reports.report import Line, Report

TEMPLATES = Path(__file__).parent / "templates"
COLUMNS = {
    "tombstoned": _("tombstoned"), "purged": _("purged"), "archived": _("archived"),
    "updated": _("updated"), "restored": _("restored"), "files": _("files"), "held": _("held"),
    "blocked": _("blocked"), "lag": _("lag"), "next 30 days": _("next 30 days"),
}  # fmt: skip


def subject(found: Sequence[Report]) -> str:
    """One line, with the counts that matter."""
    totals = [report.total for report in found]
    purged, blocked = sum(t.purged for t in totals), sum(t.blocked for t in totals)
    wrong = sum(len(report.problems) for report in found)
    about = {"purged": purged, "blocked": blocked, "problems": wrong}
    if not wrong:
        return gettext("Retention: %(purged)s purged, %(blocked)s blocked") % about
    text = ngettext(
        "Retention: %(purged)s purged, %(blocked)s blocked, %(problems)s problem",
        "Retention: %(purged)s purged, %(blocked)s blocked, %(problems)s problems",
        wrong,
    )
    return text % about


def as_text(found: Sequence[Report]) -> str:
    """For a terminal, and for the part of a mail that every reader shows."""
    return "\n\n".join(_text(report, several=len(found) > 1) for report in found) + "\n"


def as_html(found: Sequence[Report]) -> str:
    """A page of its own, without images, scripts or anything fetched; all names are escaped."""
    return rendered("purge/report.html", reports=[shown(report) for report in found])


def rendered(template: str, *folders: Path, **context: Any) -> str:
    """A template of these packages or of the given folders; what is put in is escaped."""
    return rendering.rendered(template, *folders, TEMPLATES, **context)


def mail(found: Sequence[Report], *to: str, language: str | None = None) -> None:
    """Send it by Django's mail settings, as text and as HTML, in a language, else that of the site;
    raises what the backend raises.
    """
    with override(language or settings.LANGUAGE_CODE):
        send(subject(found), as_text(found), as_html(found), to)


def _text(report: Report, several: bool) -> str:
    parts = [_title(report, several), _table([*report.lines, report.total])]
    days = [f"{_day(day)}  {count}" for day, count in report.soon.items() if count]
    if days:
        parts.append(gettext("Next 30 days, in rows:") + "\n" + "\n".join(days))
    if report.at_most:
        parts.append(at_most(report))
    if report.problems:
        parts.append(gettext("What is wrong:") + "\n" + "\n".join(_problems(report)))
    return "\n\n".join(parts)


def at_most(report: Report) -> str:
    """Of which policies blocked and next days are upper bounds; '' where of none."""
    names = visible(", ".join(report.at_most))
    text = gettext("At most so many, of some the rows may be gone: %(names)s.")
    return text % {"names": names} if names else ""


def _day(day: date) -> str:
    """With the day of the week, as the language has it."""
    return f"{date_format(day, 'D')} {on_day(day)}"


def _problems(report: Report) -> list[str]:
    """As `Report.problems`, in the active language."""
    return [
        visible(f"{line.policy}: {translated(problem)}")
        for line in report.lines
        for problem in line.problems
    ]


def _title(report: Report, several: bool) -> str:
    since, until = (minute(each) for each in (report.since, report.until))
    about = {"since": since, "until": until, "zone": localtime(report.until).tzname()}
    if not several:
        return gettext("Retention, %(since)s to %(until)s (%(zone)s)") % about
    about["database"] = report.database
    return gettext("Retention of %(database)s, %(since)s to %(until)s (%(zone)s)") % about


def _table(lines: list[Line]) -> str:
    """Columns in which nothing is counted are left out."""
    cells = [_cells(line) for line in lines]
    shown = [n for n in range(len(COLUMNS)) if any(row[n] != "0" for row in cells)] or [1]
    columns = [str(each) for each in COLUMNS.values()]
    head = [gettext("policy"), *(columns[n] for n in shown)]
    rows = [head] + [
        [_name(line), *(row[n] for n in shown)] for line, row in zip(lines, cells, strict=True)
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in rows
    )


def _name(line: Line) -> str:
    if line.state and line.state != "enabled":
        return visible(f"{line.policy} ({translated(word(line.state))})")
    if not line.policy:
        return visible(gettext("table %(table)s") % {"table": line.table})
    return visible(gettext("all") if line.policy == "all" and not line.table else line.policy)


def _cells(line: Line) -> list[str]:
    lag = translated(lasting(timedelta(seconds=int(line.lag)))) if line.lag else "0"
    counts = [getattr(line, name) for name in list(COLUMNS)[:-2]]
    return [*map(str, counts), lag, str(line.next_days)]


def shown(report: Report) -> dict[str, Any]:
    """The context of the template `purge/report_body.html`."""
    most = max(report.soon.values(), default=0) or 1
    soon = ((day, count) for day, count in report.soon.items() if count)
    days = [(_day(day), count, round(100 * count / most)) for day, count in soon]
    total = report.total
    return {
        "title": _title(report, several=True),
        "totals": list(zip(COLUMNS.values(), _cells(total), strict=True)),
        "lines": [(_name(line), visible(line.table), _cells(line)) for line in report.lines],
        "columns": list(COLUMNS.values()),
        "days": days,
        "at_most": at_most(report),
        "problems": _problems(report),
    }
