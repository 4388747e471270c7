"""The health report as text, as HTML and as a mail."""

from pathlib import Path

from purge.alerts.mail import send
from purge.reports import texts as report_texts
from purge.reports.texts import rendered, shown

from .health import DAYS, Health

TEMPLATES = Path(__file__).parent / "templates"


def subject(found: Health) -> str:
    """One line."""
    active = sum(active for _, active, _ in found.kinds)
    return f"Suppressions: {active} active, {found.new} new. {report_texts.subject(found.engine)}"


def as_text(found: Health) -> str:
    """For every reader of mail."""
    facts = "\n".join(f"{name:<34}{count:>8}" for name, count in _facts(found))
    kinds = "\n".join(f"{kind:<10}{on:>8} active{off:>8} inactive" for kind, on, off in found.kinds)
    domains = "\n".join(f"{name:<34}{count:>8}" for name, count in found.domains) or "none"
    return (
        f"Suppressions\n============\n\n{kinds}\n\n{facts}\n\nTop domains\n{domains}\n\n\n"
        f"{report_texts.as_text(found.engine)}"
    )


def as_html(found: Health) -> str:
    """A page without images or anything fetched; all names are escaped."""
    parts = {"health": found, "facts": _facts(found)}
    engine = [shown(report) for report in found.engine]
    return rendered("demo/health.html", TEMPLATES, reports=engine, **parts)


def mail(found: Health, *to: str) -> None:
    """Send it by Django's mail settings; raises what the backend raises."""
    send(subject(found), as_text(found), as_html(found), to)


def _facts(found: Health) -> list[tuple[str, int]]:
    return [
        (f"new in {DAYS} days", found.new),
        (f"deactivated in {DAYS} days", found.deactivated),
        (f"deleted in {DAYS} days", found.deleted),
        (f"to be deactivated in the next {DAYS}", found.next_deactivated),
        (f"to be deleted in the next {DAYS}", found.next_deleted),
    ]
