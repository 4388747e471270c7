"""`manage.py lifecycle hold`: a row, the rows that match a filter, or a policy."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from lifecycle.exceptions import LifecycleError
from lifecycle.ledger.context import context
from lifecycle.ledger.holds import hold, hold_rows
from lifecycle.ledger.row_names import named, row_of
from lifecycle.management.arguments import add_actor, add_policy
from lifecycle.management.targets import future, rows_of
from lifecycle.printable import visible

HELP = "Keep a row, rows that match a filter, or all rows of a policy from ending."


def add_arguments(parser: ArgumentParser) -> None:
    """Options of the subcommand."""
    parser.add_argument("row", nargs="?", metavar="app.Model[:pk]", help="a row, or a model")
    parser.add_argument(
        "--filter", action="append", default=[], metavar="FIELD=VALUE",
        help="of a model: the rows that match now; several must all match",
    )  # fmt: skip
    parser.add_argument("--all", action="store_true", help="of a model: every row there is now")
    add_policy(parser, "the rows of this policy, also later ones")
    parser.add_argument("--reason", default="", help="written into the ledger as it is")
    parser.add_argument("--reference", default="", help="of a case; release takes it")
    parser.add_argument("--until", metavar="DATE", help="ends by itself then. Default: never")
    add_actor(parser)


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    """Hold, and say what is held."""
    detail = {name: options[name] for name in ("reason", "reference")}
    detail["until"] = future(options["until"])
    with context(actor=options["actor"], using=options["database"]):
        placed = _hold(options, detail)
    command.stdout.write(visible(placed))


def _hold(options: dict[str, Any], detail: dict[str, Any]) -> str:
    """Place it; says under which number, and on what."""
    target, using = options["row"], options["database"]
    if bool(target) == bool(options["policy"]):
        raise LifecycleError("Name a row, a model with --filter, or --policy NAME.")
    if options["policy"]:
        number = hold(options["policy"], using=using, **detail)
        return f"Hold {number}: every row of {options['policy']}."
    if ":" in target and not (options["filter"] or options["all"]):
        row = row_of(target, using)
        return f"Hold {hold(row, using=using, **detail)}: {named(row)}."
    rows = rows_of(target, options["filter"], options["all"], using)
    numbers, count = hold_rows(rows, using=using, **detail)
    name = f"Hold {numbers[0]}" if len(numbers) == 1 else f"Holds {', '.join(map(str, numbers))}"
    return f"{name}: {count} rows of {rows.model._meta.label}."
