"""`manage.py lifecycle install`: what is missing in a database, made."""

from typing import Any

from django.core.management.base import BaseCommand

from lifecycle.db.tables import away
from lifecycle.exceptions import LifecycleError
from lifecycle.install.everything import install_everything

HELP = "Make what is missing: functions, triggers, guards, the policies' copy, what roles may call."
ANY_VERSION = True


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    """Install, and say what was made; an error that names the tables which are still busy."""
    if why := away(options["database"]):
        raise LifecycleError(f"{why}.")
    made = install_everything(options["database"])
    command.stdout.write("\n".join(made.lines) or "Nothing to do.")
    if made.busy:
        raise LifecycleError(f"Not on all tables: {'; '.join(made.busy.values())}. Run it again.")
