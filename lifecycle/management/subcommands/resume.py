"""`manage.py lifecycle resume`: a paused or halted policy goes on."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from lifecycle.exceptions import LifecycleError
from lifecycle.ledger import policy_states as states
from lifecycle.management.arguments import add_policy_or_all, policy_or_all, shell_user
from lifecycle.management.policy_states import change_all

HELP = "Go on after a pause or a halt."


def add_arguments(parser: ArgumentParser) -> None:
    """Options of the subcommand."""
    add_policy_or_all(parser)
    parser.add_argument(
        "--actor", default="", help="who does this; default: you, but say who resumes a halted one"
    )
    parser.add_argument("--allow", type=int, default=0, help="rows beyond the cap")


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    """Resume and say so."""
    policy, using = policy_or_all(options), options["database"]
    if policy is None:
        if options["allow"]:
            raise LifecycleError("--allow is for one policy: name it.")
        actor = options["actor"] or shell_user()
        change_all(command, states.RESUME, "goes on", options | {"actor": actor})
        return
    # Who resumes what a brake has stopped is named by hand.
    actor = options["actor"] or ("" if states.is_halted(policy, using) else shell_user())
    states.resume(policy, actor, options["allow"], using)
    command.stdout.write(f"{policy} goes on.")
