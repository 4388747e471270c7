"""`manage.py lifecycle adopt`: which tables grow, and which policy would suit each."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from rich.table import Table as Columns

from lifecycle.adoption.proposals import GUESS, NOTHING, SCAFFOLD, Proposal, look
from lifecycle.adoption.write import write
from lifecycle.management.arguments import add_json
from lifecycle.management.output import console_of, print_table, write_json

HELP = "Which tables grow, whose they are, which policy would suit each, what would go now."
ANY_VERSION = True  # it asks the catalogue only
BY_STATISTICS = "Rows and what would go are estimates, by the planner's statistics."
NUMBERS = {"Rows", "MB", "A day", "Would go"}
MANY = 1000  # rows, with which a table is told of though nothing can be proposed
NEXT = "Then: `manage.py makemigrations`, `manage.py migrate`, `manage.py lifecycle status`."


def add_arguments(parser: ArgumentParser) -> None:
    """Options of the subcommand."""
    parser.add_argument("--all", action="store_true", help="also tables that need nothing")
    parser.add_argument(
        "--write", metavar="APP", help="put what is proposed into models.py and policies.py of it"
    )
    parser.add_argument("--without-guesses", action="store_true", help="scaffolds only")
    add_json(parser)


def run_on_all(command: BaseCommand, options: dict[str, Any], databases: list[str]) -> None:
    """Show what is proposed, for each database; changes nothing without --write."""
    found = {using: look(using) for using in databases}
    for using, proposals in found.items():
        if options["without_guesses"]:
            found[using] = [_without_guess(each) for each in proposals]
    written = _write(found, options["write"]) if options["write"] else {}
    if options["json"]:
        told = [_data(each, using) for using, all_of in found.items() for each in all_of]
        write_json(command, {"tables": told, "written": {str(p): n for p, n in written.items()}})
        return
    for using, proposals in found.items():
        _show(command, using if len(found) > 1 else "", proposals, options["all"])
    _say(command, written, options["write"])


def _write(found: dict[str, list[Proposal]], label: str) -> dict[Any, list[str]]:
    return write([each for proposals in found.values() for each in proposals], label)


def _without_guess(each: Proposal) -> Proposal:
    if each.kind == GUESS:
        each.kind, each.name, each.text, each.policies, each.due = NOTHING, "", "", [], {}
        each.reason = "of the site's own"
    return each


def _show(command: BaseCommand, title: str, proposals: list[Proposal], everything: bool) -> None:
    shown = [each for each in proposals if everything or _is_told(each)]
    table = Columns(title=title or None, box=None, pad_edge=False)
    for name in ("Table", "Of", "Rows", "MB", "A day", "Proposed", "Would go"):
        table.add_column(name, justify="right" if name in NUMBERS else "left")
    for each in shown:
        table.add_row(*_row(each))
    print_table(console_of(command), table)
    for each in shown:
        if each.kind in (GUESS, NOTHING) and each.reason:
            command.stdout.write(f"{each.model._meta.label}: {each.reason}.")
    for name, why in sorted({(e.name, e.by_hand) for e in shown if e.by_hand}):
        command.stdout.write(f"{name}: --write leaves it out, paste it by hand: {why}.")
    rest = len(proposals) - len(shown)
    if rest:
        command.stdout.write(f"{rest} more tables, which are empty or small: --all shows them.")
    command.stdout.write(BY_STATISTICS)


def _is_told(each: Proposal) -> bool:
    """What has something proposed, or rows and no answer."""
    is_large = (each.table.rows or 0) >= MANY
    return each.kind in (SCAFFOLD, GUESS) or (each.kind == NOTHING and is_large)


def _row(each: Proposal) -> tuple[str, ...]:
    what = f"{each.kind}: {each.name}" if each.name else each.kind
    return (
        each.model._meta.label,
        each.owner or "this site",
        _about(each.table.rows),
        f"{each.table.bytes / 1e6:.0f}",
        _about(None if each.a_day is None else round(each.a_day)),
        what,
        ", ".join(_about(number) for number in each.due.values()),
    )


def _about(number: int | None) -> str:
    return "?" if number is None else f"{number:,}"


def _say(command: BaseCommand, written: dict[Any, list[str]], label: str | None) -> None:
    for path, names in written.items():
        if names:
            command.stdout.write(f"Written to {path}: {', '.join(names)}.")
    if any(written.values()):
        command.stdout.write(NEXT)
    elif label:
        command.stdout.write("Nothing to write.")
    else:
        command.stdout.write("--write APP puts this into an app of yours; nothing was changed.")


def _data(each: Proposal, using: str) -> dict[str, Any]:
    table = each.table
    return {
        "database": using,
        "model": each.model._meta.label,
        "table": each.model._meta.db_table,
        "owner": each.owner,
        "rows": table.rows,
        "bytes": table.bytes,
        "inserted": table.inserted,
        "since": table.since,
        "a_day": each.a_day,
        "counted_by": each.counted_by,
        "readable": table.readable,
        "proposed": each.kind,
        "name": each.name,
        "reason": each.reason,
        "due": each.due,
        "by_hand": each.by_hand,
    }
