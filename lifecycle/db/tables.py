"""Tables: the names that models and the catalogue have for them, and whether a session means ours.

Policies stand on the tables of the ledger's schema. A search path may put another table of the same
name in the place of one, with rows of its own under the same keys: a schema for each tenant, chosen
by the request.
"""

from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.db import connections

from lifecycle.db.connection import fetch, scalar, statement

LONGEST_NAME = 63  # bytes
PACKAGE = ("lifecycle", "purge")

#: the pending list, a part of both the events' table and the agenda's: see `move_pending_v1`
PENDING = "lifecycle_pending"


def tables_in(using: str) -> set[str]:
    """The names of the tables that are there."""
    connection = connections[using]
    with connection.cursor() as cursor:
        return set(connection.introspection.table_names(cursor))


def own_tables() -> list[str]:
    """The names of the package's tables."""
    configs = [apps.get_app_config(label) for label in PACKAGE if apps.is_installed(label)]
    return sorted(table_of(model) for config in configs for model in config.get_models())


def table_of(model: Any) -> str:
    """A model's table as the catalogue has it."""
    return catalogue_name(model._meta.db_table)


def catalogue_name(name: str) -> str:
    """A name as the catalogue has it: PostgreSQL cuts one after 63 bytes."""
    return name.encode()[:LONGEST_NAME].decode(errors="ignore")


def is_elsewhere(using: str, models: Iterable[Any]) -> bool:
    """Whether this session takes another table for that of one of the models."""
    params = {"tables": quoted(using, models)}
    return bool(scalar(using, statement(__file__, "is_elsewhere"), params))


def stands_in(using: str, models: Iterable[Any]) -> bool:
    """Whether this session takes another lasting table for one of the ledger's schema.

    One that is only elsewhere is meant. Temporary ones are found last where it counts.
    """
    params = {"tables": quoted(using, models)}
    return bool(scalar(using, statement(__file__, "stands_in"), params))


def away(using: str) -> str:
    """Why nothing is installed for this session: it makes its tables in another schema; or ''."""
    found = fetch(using, statement(__file__, "away"))
    if not found:
        return ""
    ledger, here = found[0]
    return f"Nothing is recorded in schema {here}: the ledger, and all policies, are of {ledger}"


def quoted(using: str, models: Iterable[Any]) -> list[str]:
    """The tables of models as a statement names them."""
    quote = connections[using].ops.quote_name
    return [quote(table_of(model)) for model in models]
