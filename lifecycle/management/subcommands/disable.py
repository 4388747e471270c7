"""`manage.py lifecycle disable`: a policy only observes from now on."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from lifecycle import states

from .arguments import add_actor, add_policy_or_all, chosen
from .everything import change_all

HELP = "Let a policy, or all, only observe."


def add_arguments(parser: ArgumentParser) -> None:
    """Options of the subcommand."""
    add_policy_or_all(parser)
    add_actor(parser)


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    """Disable and say so."""
    policy = chosen(options)
    if policy is None:
        change_all(command, states.DISABLE, "only observes from now on", options)
        return
    states.disable(policy, options["actor"], options["database"])
    command.stdout.write(f"{policy} only observes from now on: it records, and ends nothing.")
