"""`manage.py lifecycle install`: what `migrate` does after its migrations, once more."""

from typing import Any

from django.core.management.base import BaseCommand

from lifecycle.db.schemas import away
from lifecycle.exceptions import LifecycleError
from lifecycle.install.after_migrate import sync
from lifecycle.install.triggers import missing

HELP = "Put triggers on the tables that were busy when `migrate` came, and store their policies."


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    """Install; an error that names the tables which are still busy."""
    using = options["database"]
    if why := away(using):
        raise LifecycleError(f"{why}.")
    todo = missing(using)
    busy = sync(using)
    if busy:
        raise LifecycleError(f"Not on all tables: {'; '.join(busy.values())}. Run it again.")
    tables = ", ".join(sorted({each.root or table for (_, table), each in todo.items()}))
    command.stdout.write(f"Triggers changed on {tables}." if tables else "Nothing to do.")
