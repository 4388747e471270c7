"""`manage.py lifecycle enable`: a policy that observed ends rows from now on."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from lifecycle import states

from .arguments import add_actor, add_policy

HELP = "Let a policy that only observes end rows."


def add_arguments(parser: ArgumentParser) -> None:
    """Options of the subcommand."""
    add_policy(parser)
    add_actor(parser)


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    """Enable it and say so."""
    states.enable(options["policy"], options["actor"], options["database"])
    command.stdout.write(f"{options['policy']} is enabled: it ends rows from now on.")
