"""`manage.py lifecycle pause`: a policy ends nothing until it is resumed."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from lifecycle import states

from .arguments import add_actor, add_policy

HELP = "Stop a policy after the batch under way."


def add_arguments(parser: ArgumentParser) -> None:
    """Options of the subcommand."""
    add_policy(parser)
    add_actor(parser)


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    """Pause it and say so."""
    states.pause(options["policy"], options["actor"], options["database"])
    command.stdout.write(f"{options['policy']} is paused.")
