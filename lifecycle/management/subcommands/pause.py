"""`manage.py lifecycle pause`: a policy ends nothing until it is resumed."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from lifecycle.ledger import policy_states as states
from lifecycle.management.arguments import add_actor, add_policy_or_all, policy_or_all
from lifecycle.management.policy_states import change_all

HELP = "Stop a policy, or all, after the batch under way."


def add_arguments(parser: ArgumentParser) -> None:
    """Options of the subcommand."""
    add_policy_or_all(parser)
    add_actor(parser)


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    """Pause and say so."""
    policy = policy_or_all(options)
    if policy is None:
        change_all(command, states.PAUSE, "is paused", options)
        return
    states.pause(policy, options["actor"], options["database"])
    command.stdout.write(f"{policy} is paused.")
