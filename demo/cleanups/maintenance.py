"""Every clean-up, each on its own: one that fails stops none of the others."""

import io
import json
import logging
from dataclasses import dataclass, field
from typing import Any

from django.core.management import call_command
from django.core.management.base import CommandError
from rich.table import Table

log = logging.getLogger(__name__)

COMMANDS = (
    "cleanup_pending_registrations",
    "cleanup_expired_tokens",
    "cleanup_draft_services",
    "cleanup_unverified_users",
    "cleanup_email_suppressions",
    "archive_audit_logs",
    "clearsessions",
)
PASSED_ON = ("dry_run", "purge_now", "actor")
KEEPING = {"cleanup_draft_services": {"keep_with_media": True, "keep_with_sessions": True}}
COUNTS = ("found", "tombstoned", "archived", "purged", "updated", "kept", "held", "blocked")


@dataclass
class Result:
    """How one command went; `parts` are what its policies did."""

    command: str
    said: str = "done"
    failed: bool = False
    parts: list[dict[str, Any]] = field(default_factory=list)

    def count(self, name: str) -> int:
        """Rows, over all parts of the command."""
        return sum(part.get(name) or 0 for part in self.parts)


def run_one(name: str, options: dict[str, Any]) -> Result:
    """One command; whatever it raises is its own."""
    result = Result(name)
    try:
        if name == "clearsessions":
            result.said = _clear_sessions(options["dry_run"])
        else:
            result.parts = _run(name, options)
    except Exception as error:
        result.failed = True
        lines = str(error).splitlines() or [type(error).__name__]
        result.said = f"failed: {lines[0]}"
        if not isinstance(error, CommandError):  # nobody expected it
            log.exception("%s failed", name)
    return result


def _run(name: str, options: dict[str, Any]) -> list[dict[str, Any]]:
    passed = {option: options[option] for option in PASSED_ON} | KEEPING.get(name, {})
    out = io.StringIO()
    call_command(name, json=True, yes=True, stdout=out, **passed)
    return list(json.loads(out.getvalue())["parts"])


def _clear_sessions(dry: bool) -> str:
    """Django's own command, which knows no dry run; the policy leaves it nothing to do."""
    if dry:
        return "left out: it has no dry run"
    call_command("clearsessions")
    return "done"


def table(results: list[Result], dry: bool) -> Table:
    """A line for each command, in rows; counts of which all are none are left out."""
    lines = Table(title="Dry run: nothing was changed" if dry else "Maintenance")
    shown = [name for name in COUNTS if name == "found" or any(e.count(name) for e in results)]
    lines.add_column("command", no_wrap=True)
    for name in shown:
        lines.add_column(name, justify="right")
    lines.add_column("how it went")
    for each in results:
        counts = [str(each.count(name)) if each.parts else "" for name in shown]
        lines.add_row(each.command, *counts, each.said)
    return lines
