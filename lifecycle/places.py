"""Which databases have a ledger that is served, and in which of them a model's rows are.

A ledger is in the same database as its tables: a row and its events are one transaction. Where
rows are *read* is the host's own affair; everything here asks where they are written, so that a
router that reads from replicas sends nothing of ours there.
"""

from django.db import DEFAULT_DB_ALIAS, connections, router
from django.db.models import Model

from .conf import conf
from .errors import LifecycleError
from .media import tracked
from .registry import all_policies


def home(model: type[Model]) -> str:
    """The database that rows of a model are written to; of a proxy, its table's."""
    return str(router.db_for_write(model._meta.concrete_model))  # type: ignore[arg-type]


def home_of(row: Model) -> str:
    """The database that this row is written to, wherever it was read."""
    return str(router.db_for_write(type(row), instance=row))


def served() -> list[str]:
    """The databases that worker and commands look after.

    `LIFECYCLE_DATABASES`, or those to which the rows of the policies and of `track_media` are
    written: never one that a router only reads from. A database that is no PostgreSQL has no
    ledger (check E013).
    """
    chosen = conf.DATABASES
    declared = {policy.model for policy in all_policies()} | {each.model for each in tracked()}
    homes = {home(model) for model in declared} if chosen is None else set(chosen)
    known = sorted(alias for alias in homes if alias in connections)  # E033 tells of others
    return [alias for alias in known if connections[alias].vendor == "postgresql"]


def is_at(model: type[Model], using: str) -> bool:
    """Whether rows of a model may be in a database that is looked after.

    The same models may be in several of them, where `LIFECYCLE_DATABASES` says so.
    """
    here = home(model) == using or using in (conf.DATABASES or ())
    return here and router.allow_migrate_model(using, model)


def homes(model: type[Model]) -> list[str]:
    """The databases that are looked after and may have rows of a model."""
    return [using for using in served() if is_at(model, using)]


def databases_of(
    database: str | None, policy: str | None = None, row: str | None = None,
    number: int | None = None,
) -> list[str]:  # fmt: skip
    """Where a command goes: to the database that was named, to those of its row or policy, to all.

    Raises `LifecycleError` for a database that is not in DATABASES, and where a row, or the number
    of an event, may mean another one in each of several databases.
    """
    if database is not None:
        if database not in connections:
            raise LifecycleError(f"There is no database {database!r}: {', '.join(connections)}.")
        return [database]
    found = served()
    declared = {each.name: each.model for each in all_policies()}
    if row:
        from .naming import model_of

        model = model_of(row.partition(":")[0])
        found = homes(model) or [home(model)]
    elif policy in declared:
        return homes(declared[policy]) or [home(declared[policy])]
    if (row or number is not None) and len(found) > 1:
        raise LifecycleError(f"Say in which --database: {', '.join(found)}.")
    return found or [DEFAULT_DB_ALIAS]


def of_policy(name: str) -> str:
    """The database that a policy's rows are written to; also of one that is not declared."""
    found = [home(policy.model) for policy in all_policies() if policy.name == name]
    return found[0] if found else ledger()


def ledger() -> str:
    """The only database with a ledger; of several, the default one."""
    found = served()
    return found[0] if len(found) == 1 else DEFAULT_DB_ALIAS
