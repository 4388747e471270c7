"""Which databases have a ledger that is served, and in which of them a model's rows are.

A ledger is in the same database as its tables: a row and its events are one transaction. Where
rows are *read* is the host's own affair; everything here asks where they are written, so that a
router that reads from replicas sends nothing of ours there.
"""

from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections, router, transaction
from django.db.models import Model
from psycopg import sql

from lifecycle.conf import conf
from lifecycle.db.connection import fetch
from lifecycle.db.rows import home
from lifecycle.policy.media_fields import tracked
from lifecycle.policy.policy import Policy
from lifecycle.policy.registry import all_policies


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


def of_policy(name: str) -> str:
    """The database that a policy's rows are written to; also of one that is not declared."""
    found = [home(policy.model) for policy in all_policies() if policy.name == name]
    return found[0] if found else ledger()


def ledger() -> str:
    """The only database with a ledger; of several, the default one."""
    found = served()
    return found[0] if len(found) == 1 else DEFAULT_DB_ALIAS


def with_rows(using: str, policies: list[Policy]) -> list[Policy]:
    """Those whose tables are not empty: of the others nothing has to be asked."""
    one = sql.SQL("SELECT {} WHERE EXISTS (SELECT FROM {})")
    asked = [
        one.format(sql.Literal(p.name), sql.Identifier(p.model._meta.db_table)) for p in policies
    ]
    if not asked:
        return []
    try:
        with transaction.atomic(using=using):
            found = {
                name for (name,) in fetch(using, sql.SQL(" UNION ALL ").join(asked).as_string())
            }
    except DatabaseError:
        return policies  # which of them cannot be read is found out one by one
    return [policy for policy in policies if policy.name in found]
