"""`manage.py lifecycle`: look at the policies, turn them on and off, rebuild, verify."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DEFAULT_DB_ALIAS
from rich.progress import Progress

from lifecycle import states
from lifecycle.backfill import backfill
from lifecycle.console import console_of
from lifecycle.errors import LifecycleError
from lifecycle.management import status, verify


class Command(BaseCommand):
    help = "Show and steer the retention policies."

    def add_arguments(self, parser: ArgumentParser) -> None:
        commands = parser.add_subparsers(dest="command", required=True)
        for name, (_, words, named) in COMMANDS.items():
            command = commands.add_parser(name, help=words, description=words)
            command.add_argument("--database", default=DEFAULT_DB_ALIAS)
            if named:
                command.add_argument("policy")
                command.add_argument(
                    "--actor", default="", help="who does this; told to the ledger"
                )
            if name in OPTIONS:
                OPTIONS[name](command)
            if name == "resume":
                command.add_argument("--allow", type=int, default=0, help="rows beyond the cap")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            COMMANDS[options["command"]][0](self, options)
        except LifecycleError as error:
            raise CommandError(str(error)) from error


def _rebuild(command: Command, options: dict[str, Any]) -> None:
    count = states.rebuild(options["database"])
    command.stdout.write(f"Agenda and exceptions rebuilt from {count} events.")


def _backfill(command: Command, options: dict[str, Any]) -> None:
    read = 0
    console = console_of(command)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task(options["policy"], total=None)
        for read in backfill(options["policy"], options["database"]):
            progress.update(bar, completed=read)
    command.stdout.write(f"{options['policy']}: {read} rows read, their ends are listed.")


def _enable(command: Command, options: dict[str, Any]) -> None:
    states.enable(options["policy"], options["actor"], options["database"])
    command.stdout.write(f"{options['policy']} is enabled: it ends rows from now on.")


def _pause(command: Command, options: dict[str, Any]) -> None:
    states.pause(options["policy"], options["actor"], options["database"])
    command.stdout.write(f"{options['policy']} is paused.")


def _resume(command: Command, options: dict[str, Any]) -> None:
    states.resume(options["policy"], options["actor"], options["allow"], options["database"])
    command.stdout.write(f"{options['policy']} goes on.")


COMMANDS = {
    "status": (
        status.status,
        "Each policy with what is due; exit code 1 when one is not well.",
        False,
    ),
    "enable": (_enable, "Let a policy that only observes end rows.", True),
    "pause": (_pause, "Stop a policy after the batch under way.", True),
    "resume": (_resume, "Go on after a pause or a halt.", True),
    "backfill": (_backfill, "List the rows that were there before the policy.", True),
    "rebuild": (_rebuild, "Make the projections again from the ledger alone.", False),
    "verify": (verify.verify, "Check the promises; exit code 1 when one is broken.", False),
}
OPTIONS = {"status": status.add_arguments, "verify": verify.add_arguments}
