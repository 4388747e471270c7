"""The health report as text, as HTML and as a mail."""

from pathlib import Path

from purge.alerts.mail import send
from purge.reports import texts as report_texts
from purge.reports.texts import rendered, shown

from .health import DAYS, Health

TEMPLATES = Path(__file__).parent / "templates"


def subject(health: Health) -> str:
    """One line."""
    active = sum(active for _, active, _ in health.kinds)
    return f"Suppressions: {active} active, {health.new} new. {report_texts.subject(health.engine)}"


def as_text(health: Health) -> str:
    """For every reader of mail."""
    facts = "\n".join(f"{name:<34}{count:>8}" for name, count in _facts(health))
    kinds = "\n".join(
        f"{kind:<10}{on:>8} active{off:>8} inactive" for kind, on, off in health.kinds
    )
    domains = "\n".join(f"{name:<34}{count:>8}" for name, count in health.domains) or "none"
    return (
        f"Suppressions\n============\n\n{kinds}\n\n{facts}\n\nTop domains\n{domains}\n\n\n"
        f"{report_texts.as_text(health.engine)}"
    )


def as_html(health: Health) -> str:
    """A page without images or anything fetched; all names are escaped."""
    parts = {"health": health, "facts": _facts(health)}
    engine = [shown(report) for report in health.engine]
    return rendered("demo/health.html", TEMPLATES, reports=engine, **parts)


def mail(health: Health, *to: str) -> None:
    """Send it by Django's mail settings; raises what the backend raises."""
    send(subject(health), as_text(health), as_html(health), to)


def _facts(health: Health) -> list[tuple[str, int]]:
    return [
        (f"new in {DAYS} days", health.new),
        (f"deactivated in {DAYS} days", health.deactivated),
        (f"deleted in {DAYS} days", health.deleted),
        (f"to be deactivated in the next {DAYS}", health.next_deactivated),
        (f"to be deleted in the next {DAYS}", health.next_deleted),
    ]
