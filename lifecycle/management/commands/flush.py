"""`manage.py flush`: Django's, with a word where the ledger stands in the way, and with the
policies put back where a test runner flushes."""

from typing import Any

from django.apps import apps
from django.core.management.base import CommandError
from django.core.management.commands import flush
from django.db import DatabaseError, connections

from lifecycle.db.connection import sqlstate
from lifecycle.db.test_databases import is_test_database
from lifecycle.install.after_migrate import sync

RESTRICTED = "23001"  # SQLSTATE: what the ledger's guard and the triggers of held tables raise
INSTEAD = (
    "To empty this database, ledger and all: `manage.py lifecycle uninstall --drop-ledger`, "
    "`manage.py flush`, `manage.py migrate`, `manage.py lifecycle install`."
)


class Command(flush.Command):
    def handle(self, **options: Any) -> None:
        """Flush. After it a test database has its policies, as `migrate` has left them.

        Where fixtures of the next test bring content types and the like, or only some apps are
        there, Django does not say that it has flushed.
        """
        try:
            super().handle(**options)
        except CommandError as error:
            raise self._told(error) from error.__cause__
        using = options["database"]
        silent = options.get("inhibit_post_migrate", False)
        if silent and apps.is_installed("lifecycle") and is_test_database(connections[using]):
            sync(using)

    def _told(self, error: CommandError) -> CommandError:
        cause = error.__cause__
        if not isinstance(cause, DatabaseError) or sqlstate(cause) != RESTRICTED:
            return error
        return CommandError(f"{str(cause).splitlines()[0]}. {INSTEAD}")
