"""`manage.py lifecycle rebuild`: the projections again from the ledger alone."""

from typing import Any

from django.core.management.base import BaseCommand

from lifecycle.db.progress import Tell
from lifecycle.exceptions import LifecycleError
from lifecycle.ledger import policy_states as states
from lifecycle.management.output import console_of, progress_bar
from lifecycle.models import Event

HELP = "Make the projections again from the ledger alone."


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    """Rebuild and say from how many events."""
    with progress_bar(console_of(command), "rebuild") as show:
        tell: Tell = lambda done, total: show(completed=done, total=total)  # noqa: E731
        count = states.rebuild(options["database"], tell)
    command.stdout.write(f"Agenda and row exceptions rebuilt from {count} events.")
    there = Event.objects.using(options["database"]).count()
    if there > count:
        raise LifecycleError(
            f"{there - count} events cannot be applied and were left out: "
            "`manage.py lifecycle verify` names those whose detail is not what an event has."
        )
