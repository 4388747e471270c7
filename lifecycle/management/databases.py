"""The databases that a command goes to."""

from django.db import DEFAULT_DB_ALIAS, connections

from lifecycle.db.rows import home
from lifecycle.exceptions import LifecycleError
from lifecycle.ledger.row_names import model_of
from lifecycle.policy.databases import homes, served
from lifecycle.policy.registry import all_policies


def databases_of(
    database: str | None, policy: str | None = None, row: str | None = None,
    number: int | None = None,
) -> list[str]:  # fmt: skip
    """The aliases for a command: the one that was named, else those of its row or policy, else all.

    Raises `LifecycleError` for a database that is not in DATABASES, and where a row, or the number
    of an event, may mean another one in each of several databases.
    """
    if database is not None:
        if database not in connections:
            raise LifecycleError(f"There is no database {database!r}: {', '.join(connections)}.")
        return [database]
    aliases = served()
    declared = {each.name: each.model for each in all_policies()}
    if row:
        model = model_of(row.partition(":")[0])
        aliases = homes(model) or [home(model)]
    elif policy in declared:
        return homes(declared[policy]) or [home(declared[policy])]
    if (row or number is not None) and len(aliases) > 1:
        raise LifecycleError(f"Say in which --database: {', '.join(aliases)}.")
    return aliases or [DEFAULT_DB_ALIAS]
