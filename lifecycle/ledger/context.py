"""Who and why, told to the ledger by a setting that lasts as long as the transaction."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DEFAULT_DB_ALIAS, transaction

from lifecycle.db.connection import local_settings, scalar


@contextmanager
def context(actor: str = "", cause: str = "", using: str = DEFAULT_DB_ALIAS) -> Iterator[None]:
    """Every event recorded inside names this actor and cause.

    Opens a transaction (or a savepoint), because the setting is transaction-local and so cannot
    leak to another request through a pooled connection. Nesting restores the outer values.
    """
    settings = {"lifecycle.actor": actor, "lifecycle.cause": cause}
    with transaction.atomic(using=using), local_settings(using, **settings):
        yield


def in_context(name: str, using: str = DEFAULT_DB_ALIAS) -> str:
    """The `actor` or `cause` that is in force; empty without one."""
    text = "SELECT coalesce(lifecycle.setting_v1(%(name)s), '')"
    return str(scalar(using, text, {"name": name}))
