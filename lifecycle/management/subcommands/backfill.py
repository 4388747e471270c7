"""`manage.py lifecycle backfill`: list the rows that the triggers did not see."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from rich.progress import Progress

from lifecycle.backfill import backfill
from lifecycle.console import console_of

from .arguments import add_actor, add_policy

HELP = "List the rows that were there before the policy."


def add_arguments(parser: ArgumentParser) -> None:
    """Options of the subcommand."""
    add_policy(parser)
    add_actor(parser)


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    """Backfill with a bar."""
    read = 0
    console = console_of(command)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task(options["policy"], total=None)
        for read in backfill(options["policy"], options["database"]):
            progress.update(bar, completed=read)
    command.stdout.write(f"{options['policy']}: {read} rows read, their ends are listed.")
