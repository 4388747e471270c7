"""`manage.py lifecycle restore`: bring a tombstoned row back to live."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from lifecycle.ledger.context import context
from lifecycle.ledger.row_actions import restore
from lifecycle.ledger.row_names import named, row_of
from lifecycle.management.arguments import add_actor, add_policy
from lifecycle.management.targets import future
from lifecycle.printable import visible

HELP = "Bring a row back to live, until its due time changes or until a date."


def add_arguments(parser: ArgumentParser) -> None:
    """Options of the subcommand."""
    parser.add_argument("row", metavar="app.Model:pk")
    parser.add_argument("--until", metavar="DATE", help="only until then")
    add_policy(parser, "only for this policy. Default: all on the model")
    add_actor(parser)


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    """Restore it and say so."""
    using, until = options["database"], future(options["until"])
    row = row_of(options["row"], using)
    with context(actor=options["actor"], using=using):
        restore(row, until=until, policy=options["policy"])
    span = f"until {until:%Y-%m-%d %H:%M:%S %Z}" if until else "until its due time changes"
    command.stdout.write(f"{visible(named(row))} is live {span}.")
