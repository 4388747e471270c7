"""`manage.py lifecycle apply`: carry out a plan, exactly as it was made."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from lifecycle.exceptions import LifecycleError
from lifecycle.management.arguments import add_actor
from purge.models import Plan
from purge.plans.apply import apply_plan
from purge.plans.telling import as_text

HELP = "Carry out a plan: by the worker, or here with --now."


def add_arguments(parser: ArgumentParser) -> None:
    """Options of the subcommand."""
    parser.add_argument("number", type=int, metavar="PLAN", help="its number")
    parser.add_argument("--confirm", type=int, metavar="ROWS", help="how many rows the plan has")
    parser.add_argument("--now", action="store_true", help="do it here, and wait until it is done")
    add_actor(parser)


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    """Show it, have the count typed, begin it."""
    number, using = options["number"], options["database"]
    found = Plan.objects.using(using).filter(pk=number).first()
    if found is None:
        raise LifecycleError(f"There is no plan {number}.")
    rows = options["confirm"]
    if rows is None:
        command.stdout.write(as_text(found))
        rows = _typed(command)
    done = apply_plan(number, rows, options["actor"], options["now"], using)
    command.stdout.write(as_text(done))


def _typed(command: BaseCommand) -> int:
    """The number of rows, as the person at the terminal types it."""
    if not sys.stdin.isatty():
        raise LifecycleError(
            "There is no terminal to ask at: say --confirm and the number of rows."
        )
    command.stdout.write("Type the number of rows to go on: ", ending="")
    command.stdout.flush()
    typed = sys.stdin.readline().strip().replace(",", "")
    if not typed.isdecimal():
        raise LifecycleError("That is no number: nothing was begun.")
    return int(typed)
