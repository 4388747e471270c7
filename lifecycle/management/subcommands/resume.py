"""`manage.py lifecycle resume`: a paused or halted policy goes on."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from lifecycle import states

from .arguments import add_actor, add_policy

HELP = "Go on after a pause or a halt."


def add_arguments(parser: ArgumentParser) -> None:
    """Options of the subcommand."""
    add_policy(parser)
    add_actor(parser)
    parser.add_argument("--allow", type=int, default=0, help="rows beyond the cap")


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    """Resume it and say so."""
    states.resume(options["policy"], options["actor"], options["allow"], options["database"])
    command.stdout.write(f"{options['policy']} goes on.")
