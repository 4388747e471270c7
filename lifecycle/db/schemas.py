"""Whether a session means the tables that policies stand on: those of the ledger's schema.

A search path may put another table of the same name in the place of one, with rows of its own under
the same keys: a schema for each tenant, chosen by the request.
"""

from collections.abc import Iterable
from typing import Any

from django.db import connections

from lifecycle.db.connection import fetch, scalar, statement
from lifecycle.db.introspection import table_of


def is_elsewhere(using: str, models: Iterable[Any]) -> bool:
    """Whether this session takes another table for that of one of the models."""
    params = {"tables": quoted(using, models)}
    return bool(scalar(using, statement(__file__, "is_elsewhere"), params))


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
