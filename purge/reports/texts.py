"""A report as plain text, as HTML and as a mail."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.utils.timezone import localtime

from lifecycle import rendering
from lifecycle.printable import visible
from purge.alerts.mail import send
from purge.reports.report import Line, Report

TEMPLATES = Path(__file__).parent / "templates"
COLUMNS = (
    "tombstoned", "purged", "archived", "updated", "restored", "files", "held", "blocked", "lag",
    "next 30 days",
)  # fmt: skip


def subject(found: Sequence[Report]) -> str:
    """One line, with the counts that matter."""
    totals = [report.total for report in found]
    purged, blocked = sum(t.purged for t in totals), sum(t.blocked for t in totals)
    wrong = sum(len(report.problems) for report in found)
    text = f"Retention: {purged} purged, {blocked} blocked"
    return f"{text}, {wrong} problem{'s' * (wrong != 1)}" if wrong else text


def as_text(found: Sequence[Report]) -> str:
    """For a terminal, and for the part of a mail that every reader shows."""
    return "\n\n".join(_text(report, several=len(found) > 1) for report in found) + "\n"


def as_html(found: Sequence[Report]) -> str:
    """A page of its own, without images, scripts or anything fetched; all names are escaped."""
    return rendered("purge/report.html", reports=[shown(report) for report in found])


def rendered(template: str, *folders: Path, **context: Any) -> str:
    """A template of these packages or of the given folders; what is put in is escaped."""
    return rendering.rendered(template, *folders, TEMPLATES, **context)


def mail(found: Sequence[Report], *to: str) -> None:
    """Send it by Django's mail settings, as text and as HTML; raises what the backend raises."""
    send(subject(found), as_text(found), as_html(found), to)


def _text(report: Report, several: bool) -> str:
    parts = [_title(report, several), _table([*report.lines, report.total])]
    days = [f"{day:%a %Y-%m-%d}  {count}" for day, count in report.soon.items() if count]
    if days:
        parts.append("Next 30 days, in rows:\n" + "\n".join(days))
    if report.at_most:
        parts.append(at_most(report))
    if report.problems:
        parts.append("What is wrong:\n" + "\n".join(map(visible, report.problems)))
    return "\n\n".join(parts)


def at_most(report: Report) -> str:
    """Of which policies blocked and next days are upper bounds; '' where of none."""
    names = visible(", ".join(report.at_most))
    return f"At most so many, of some the rows may be gone: {names}." if names else ""


def _title(report: Report, several: bool) -> str:
    where = f" of {report.database}" if several else ""
    since, until = (f"{localtime(each):%Y-%m-%d %H:%M}" for each in (report.since, report.until))
    return f"Retention{where}, {since} to {until} ({localtime(report.until).tzname()})"


def _table(lines: list[Line]) -> str:
    """Columns in which nothing is counted are left out."""
    cells = [_cells(line) for line in lines]
    shown = [n for n in range(len(COLUMNS)) if any(row[n] != "0" for row in cells)] or [1]
    head = ["policy", *(COLUMNS[n] for n in shown)]
    rows = [head] + [
        [_name(line), *(row[n] for n in shown)] for line, row in zip(lines, cells, strict=True)
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in rows
    )


def _name(line: Line) -> str:
    if line.state and line.state != "enabled":
        return visible(f"{line.policy} ({line.state})")
    return visible(line.policy or f"table {line.table}")


def _cells(line: Line) -> list[str]:
    lag = str(timedelta(seconds=int(line.lag))) if line.lag else "0"
    counts = [getattr(line, name) for name in COLUMNS[:-2]]
    return [*map(str, counts), lag, str(line.next_days)]


def shown(report: Report) -> dict[str, Any]:
    """The context of the template `purge/report_body.html`."""
    most = max(report.soon.values(), default=0) or 1
    days = [(day, count, round(100 * count / most)) for day, count in report.soon.items() if count]
    total = report.total
    return {
        "title": _title(report, several=True),
        "totals": list(zip(COLUMNS, _cells(total), strict=True)),
        "lines": [
            (_name(line), visible(line.table), _cells(line), line.problems) for line in report.lines
        ],
        "columns": COLUMNS,
        "days": days,
        "at_most": at_most(report),
        "problems": [visible(said) for said in report.problems],
    }
