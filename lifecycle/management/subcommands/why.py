"""`manage.py lifecycle why`: all that is known of one row, and what happens to it next."""

from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand
from rich.table import Table

from lifecycle.insight.why import Why, said, why
from lifecycle.ledger.row_names import parse
from lifecycle.management.arguments import add_json
from lifecycle.management.output import console_of, write_json
from lifecycle.models import Event

HELP = "Every event of a row, what its policies say now, what holds it, what happens next."
COLUMNS = ("event", "recorded at", "kind", "policy", "due at", "actor", "cause")


def add_arguments(parser: ArgumentParser) -> None:
    """Options of the subcommand."""
    parser.add_argument("row", metavar="app.Model:pk", help="it may be gone")
    add_json(parser)


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    """Print it."""
    found = why(*parse(options["row"]), options["database"])
    if options["json"]:
        write_json(command, _plain(found))
    else:
        _print(command, found)


def _print(command: BaseCommand, found: Why) -> None:
    console = console_of(command)
    console.print(f"{found.row}: {found.says}")
    for each in found.verdicts:
        console.print(f"  {each.policy} ({each.state}): {each.says}{_at(each.at)}")
    for held in found.holds:
        until = f" until {said(held.until)}" if held.until else ""
        words = ", ".join(filter(None, (held.reason, held.reference, held.actor)))
        console.print(f"  hold {held.number} since {said(held.since)}{until}: {words}")
    table = Table(box=None, pad_edge=False)
    for column in COLUMNS:
        table.add_column(column)
    for event in found.events:
        table.add_row(*(str(cell) for cell in _cells(event)))
    if found.events:
        console.print(table)
    if not found.complete:
        console.print("Older events were not read: the ledger is too long.")


def _at(moment: Any) -> str:
    return f" ({said(moment)})" if moment else ""


def _cells(event: Event) -> tuple[Any, ...]:
    due = said(event.due_at) if event.due_at else ""
    about = (event.pk, said(event.recorded_at), event.kind, event.policy, due)
    return (*about, event.actor, event.cause)


def _plain(found: Why) -> dict[str, Any]:
    names = ("pk", "recorded_at", "kind", "policy", "due_at", "actor", "cause", "run", "detail")
    events = [{name: getattr(event, name) for name in names} for event in found.events]
    base = {"row": found.row, "exists": found.exists, "says": found.says}
    return base | {
        "policies": [asdict(each) for each in found.verdicts],
        "holds": [asdict(each) for each in found.holds],
        "events": events,
        "complete": found.complete,
    }
