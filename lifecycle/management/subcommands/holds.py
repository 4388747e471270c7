"""`manage.py lifecycle holds`: what is held, since when, why, by whom."""

from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand
from django.utils.timezone import localtime
from rich.table import Table

from lifecycle.ledger.holds import Hold, holds
from lifecycle.management.arguments import add_json
from lifecycle.management.output import console_of, write_json

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


def _print(command: BaseCommand, placed: list[Hold]) -> None:
    table = Table(title="Holds")
    for column in COLUMNS:
        table.add_column(column, justify="right" if column == "number" else "left")
    for each in placed:
        until = _time(each.until) + ("" if each.in_force else " (has passed)")
        cells = (str(each.number), _held(each), _time(each.since), until)
        table.add_row(*cells, each.reason, each.reference, each.actor)
    console_of(command).print(table)


def _held(each: Hold) -> str:
    if not each.rows:
        return f"policy {each.policy}"
    more = f" and {each.rows - 1} more" if each.rows > 1 else ""
    return f"{each.model}:{each.key}{more}"


def _time(moment: Any) -> str:
    return f"{localtime(moment):%Y-%m-%d %H:%M}" if moment else ""
