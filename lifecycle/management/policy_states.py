"""What `disable`, `pause` and `resume` share: they change one policy, or all."""

from typing import Any

from django.core.management.base import BaseCommand

from lifecycle.ledger import policy_states as states


def change_all(
    command: BaseCommand, change: states.Change, done: str, options: dict[str, Any]
) -> None:
    """Change every policy that may be, and say of each other one why it is left."""
    changed, left = states.change_all(change, options["actor"], options["database"])
    for name in changed:
        command.stdout.write(f"{name} {done}.")
    for name, why in left.items():
        command.stdout.write(f"{name} is left: it {why}.")
    if not changed:
        command.stdout.write("Nothing was changed.")
