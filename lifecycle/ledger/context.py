"""Who and why, told to the ledger by a setting that lasts as long as the transaction."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DEFAULT_DB_ALIAS, connections, transaction

SETTINGS = ("actor", "cause")


@contextmanager
def context(actor: str = "", cause: str = "", using: str = DEFAULT_DB_ALIAS) -> Iterator[None]:
    """Every event recorded inside names this actor and cause.

    Opens a transaction (or a savepoint), because the setting is transaction-local and so cannot
    leak to another request through a pooled connection. Nesting restores the outer values.
    """
    with transaction.atomic(using=using):
        before = [_get(using, name) for name in SETTINGS]
        _set(using, dict(zip(SETTINGS, (actor, cause), strict=True)))
        yield
        # Not in a finally: after an error the savepoint's rollback puts the values back.
        _set(using, dict(zip(SETTINGS, before, strict=True)))


def said(name: str, using: str = DEFAULT_DB_ALIAS) -> str:
    """The `actor` or `cause` that is in force; empty without one."""
    return _get(using, name)


def _get(using: str, name: str) -> str:
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT coalesce(current_setting(%s, true), '')", [f"lifecycle.{name}"])
        return str(cursor.fetchone()[0])


def _set(using: str, values: dict[str, str]) -> None:
    with connections[using].cursor() as cursor:
        for name, value in values.items():
            cursor.execute("SELECT set_config(%s, %s, true)", [f"lifecycle.{name}", value])
