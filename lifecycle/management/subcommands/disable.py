"""`manage.py lifecycle disable`: a policy only observes from now on."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from lifecycle.ledger import policy_states as states
from lifecycle.management.arguments import add_actor, add_policy_or_all, policy_or_all
from lifecycle.management.policy_states import change_all

HELP = "Let a policy, or all, only observe."


def add_arguments(parser: ArgumentParser) -> None:
    """Options of the subcommand."""
    add_policy_or_all(parser)
    add_actor(parser)


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    """Disable and say so."""
    policy = policy_or_all(options)
    if policy is None:
        change_all(command, states.DISABLE, "only observes from now on", options)
        return
    states.disable(policy, options["actor"], options["database"])
    command.stdout.write(f"{policy} only observes from now on: it records, and ends nothing.")
