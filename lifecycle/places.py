"""Which databases have a ledger that is served, and in which of them a model's rows are.

A ledger is in the same database as its tables: a row and its events are one transaction. Where
rows are *read* is the host's own affair; everything here asks where they are written, so that a
router that reads from replicas sends nothing of ours there.
"""

from django.db import connections, router
from django.db.models import Model

from .registry import all_policies


def home(model: type[Model]) -> str:
    """The database that rows of a model are written to; of a proxy, its table's."""
    return str(router.db_for_write(model._meta.concrete_model))  # type: ignore[arg-type]


def home_of(row: Model) -> str:
    """The database that this row is written to, wherever it was read."""
    return str(router.db_for_write(type(row), instance=row))


def served() -> list[str]:
    """The databases that worker and commands look after: those to which policies' rows are written.

    A database that is no PostgreSQL has no ledger (check E013).
    """
    homes = {home(policy.model) for policy in all_policies()}
    return sorted(alias for alias in homes if connections[alias].vendor == "postgresql")
