"""`manage.py lifecycle holds`: what is held, since when, why, by whom."""

from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand
from django.utils.timezone import localtime
from rich.table import Table

from lifecycle.ledger.held_deleted import HeldDeleted, held_deleted
from lifecycle.ledger.holds import Hold, holds
from lifecycle.management.arguments import add_json
from lifecycle.management.output import console_of, print_table, write_json

SHOWN = 20  # rows that are gone, of those that are named below the table
HELP = "Every hold that stands, with who placed it and why."
COLUMNS = ("number", "held", "since", "until", "reason", "reference", "actor")


def add_arguments(parser: ArgumentParser) -> None:
    """Options of the subcommand."""
    add_json(parser)


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    """Print them."""
    placed = holds(options["database"])
    if options["json"]:
        write_json(command, [asdict(each) for each in placed])
    elif not placed:
        command.stdout.write("Nothing is held.")
    else:
        _print(command, placed)
        _print_gone(command, held_deleted(options["database"]))


def _print(command: BaseCommand, placed: list[Hold]) -> None:
    table = Table(title="Holds")
    for column in COLUMNS:
        table.add_column(column, justify="right" if column == "number" else "left")
    for each in placed:
        until = _time(each.until) + ("" if each.in_force else " (has passed)")
        cells = (str(each.number), _held(each), _time(each.since), until)
        table.add_row(*cells, each.reason, each.reference, each.actor)
    print_table(console_of(command), table)


def _held(each: Hold) -> str:
    if not each.rows:
        return f"policy {each.policy}" + (f" ({each.deleted} rows GONE)" if each.deleted else "")
    more = f" and {each.rows - 1} more" if each.rows > 1 else ""
    return f"{each.model}:{each.key}{more}{_gone(each)}"


def _gone(each: Hold) -> str:
    if not each.deleted:
        return ""
    return " (GONE)" if each.rows == 1 else f" ({each.deleted} of them GONE)"


def _print_gone(command: BaseCommand, gone: list[HeldDeleted]) -> None:
    """Below the table: which held rows the site itself has deleted."""
    console = console_of(command)
    for each in gone[:SHOWN]:
        console.print(f"Hold {each.hold}: {each.name} {_are(each)} {each.says}.", soft_wrap=True)
    if len(gone) > SHOWN:
        console.print(f"And {len(gone) - SHOWN} more; --json counts them by hold as `deleted`.")


def _are(each: HeldDeleted) -> str:
    return "is" if each.key else "are"


def _time(moment: Any) -> str:
    return f"{localtime(moment):%Y-%m-%d %H:%M}" if moment else ""
