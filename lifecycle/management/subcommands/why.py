"""`manage.py lifecycle why`: all that is known of one row, and what happens to it next."""

from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand
from rich.table import Table

from lifecycle.insight.why import Why, why
from lifecycle.ledger.row_names import parse
from lifecycle.management.arguments import add_json
from lifecycle.management.output import console_of, print_table, write_json
from lifecycle.models import Event
from lifecycle.printable import in_utc

HELP = "Every event of a row, what its policies say now, what holds it, what happens next."
COLUMNS = ("event", "recorded at", "kind", "policy", "due at", "actor", "cause")


def add_arguments(parser: ArgumentParser) -> None:
    """Options of the subcommand."""
    parser.add_argument("row", metavar="app.Model:pk", help="it may be gone")
    add_json(parser)


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    """Print it."""
    story = why(*parse(options["row"]), options["database"])
    if options["json"]:
        write_json(command, _plain(story))
    else:
        _print(command, story)


def _print(command: BaseCommand, story: Why) -> None:
    console = console_of(command)
    console.print(f"{story.row}: {story.says}")
    for each in story.verdicts:
        console.print(f"  {each.policy} ({each.state}): {each.says}{_at(each.at)}")
        if each.stages:
            console.print(f"    {each.stages}")
    for hold in story.holds:
        until = f" until {in_utc(hold.until)}" if hold.until else ""
        words = ", ".join(filter(None, (hold.reason, hold.reference, hold.actor)))
        console.print(f"  hold {hold.number} since {in_utc(hold.since)}{until}: {words}")
    table = Table(box=None, pad_edge=False)
    for column in COLUMNS:
        table.add_column(column)
    for event in story.events:
        table.add_row(*(str(cell) for cell in _cells(event)))
    if story.events:
        print_table(console, table)
    if not story.complete:
        console.print("Older events were not read: the ledger is too long.")


def _at(moment: Any) -> str:
    return f" ({in_utc(moment)})" if moment else ""


def _cells(event: Event) -> tuple[Any, ...]:
    due = in_utc(event.due_at) if event.due_at else ""
    about = (event.pk, in_utc(event.recorded_at), event.kind, event.policy, due)
    return (*about, event.actor, event.cause)


def _plain(story: Why) -> dict[str, Any]:
    names = ("pk", "recorded_at", "kind", "policy", "due_at", "actor", "cause", "run", "detail")
    events = [{name: getattr(event, name) for name in names} for event in story.events]
    base = {"row": story.row, "exists": story.exists, "says": story.says}
    return base | {
        "policies": [asdict(each) for each in story.verdicts],
        "holds": [asdict(each) for each in story.holds],
        "events": events,
        "complete": story.complete,
    }
