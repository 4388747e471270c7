"""`manage.py lifecycle disable`, `pause`, `resume`: one policy, or all, into another state."""

from argparse import ArgumentParser
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.management.base import BaseCommand

from lifecycle.exceptions import LifecycleError
from lifecycle.ledger import policy_states as states
from lifecycle.management.arguments import add_actor, add_policy_or_all, policy_or_all, shell_user


@dataclass
class StateCommand:
    """A subcommand; `done` is said of each policy that it has changed, `more` where it is one."""

    HELP: str
    change: states.Change
    change_one: Callable[..., Any]
    done: str
    more: str = ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Options of the subcommand."""
        add_policy_or_all(parser)
        add_actor(parser)

    def run(self, command: BaseCommand, options: dict[str, Any]) -> None:
        """Change one policy, or all that may be changed, and say so."""
        policy = policy_or_all(options)
        if policy is None:
            self.run_on_every_policy(command, options)
            return
        busy = self.change_one(policy, options["actor"], using=options["database"])
        command.stdout.write(f"{policy} {self.done}{self.more}.")
        self.tell_of_batches(command, [busy] if busy else [])

    def tell_of_batches(self, command: BaseCommand, busy: list[str]) -> None:
        """What stops a policy does not stop a batch that was under way before."""
        for who in busy:
            command.stdout.write(f"A batch that was under way may still end. {who}")

    def run_on_every_policy(self, command: BaseCommand, options: dict[str, Any]) -> None:
        """Change every policy that may be, and say of each other one why it is left."""
        changed, left, busy = states.change_all(self.change, options["actor"], options["database"])
        for name in changed:
            command.stdout.write(f"{name} {self.done}.")
        for name, why in left.items():
            command.stdout.write(f"{name} is left: it {why}.")
        if not changed:
            command.stdout.write("Nothing was changed.")
        self.tell_of_batches(command, busy)


class Resume(StateCommand):
    """As the others, but whoever resumes what a brake has stopped is named by hand."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Options of the subcommand."""
        add_policy_or_all(parser)
        about = "who does this; default: you, but say who resumes a halted one"
        parser.add_argument("--actor", default="", help=about)
        parser.add_argument("--allow", type=int, default=0, help="rows beyond the cap")

    def run(self, command: BaseCommand, options: dict[str, Any]) -> None:
        """Resume and say so."""
        policy, using, allow = policy_or_all(options), options["database"], options["allow"]
        if policy is None and allow:
            raise LifecycleError("--allow is for one policy: name it.")
        by_hand = policy is not None and states.is_halted(policy, using)
        actor = options["actor"] or ("" if by_hand else shell_user())
        if policy is None:
            self.run_on_every_policy(command, options | {"actor": actor})
            return
        self.change_one(policy, actor, allow, using)
        command.stdout.write(f"{policy} {self.done}.")


disable = StateCommand(
    "Let a policy, or all, only observe.", states.DISABLE, states.disable,
    "only observes from now on", ": it records, and ends nothing",
)  # fmt: skip
pause = StateCommand(
    "Stop a policy, or all, after the batch under way.", states.PAUSE, states.pause, "is paused"
)
resume = Resume("Go on after a pause or a halt.", states.RESUME, states.resume, "goes on")
