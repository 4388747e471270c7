"""`manage.py lifecycle rebuild`: the projections again from the ledger alone."""

from typing import Any

from django.core.management.base import BaseCommand

from lifecycle.ledger import policy_states as states

HELP = "Make the projections again from the ledger alone."


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    """Rebuild and say from how many events."""
    count = states.rebuild(options["database"])
    command.stdout.write(f"Agenda and row exceptions rebuilt from {count} events.")
