"""The check of tables that inherit from those which policies stand on."""

from collections.abc import Iterator
from typing import Any

from django.core.checks import CheckMessage

from lifecycle.checks.messages import warning
from lifecycle.db.connection import fetch, statement
from lifecycle.db.tables import table_of
from lifecycle.policy.databases import is_at
from lifecycle.policy.registry import all_policies


def heirs(using: str) -> Iterator[CheckMessage]:
    """W124: a table inherits from that of a policy, by INHERITS."""
    policies: dict[str, set[str]] = {}
    for policy in all_policies():
        if is_at(policy.model, using):
            own: Any = policy.model._meta.concrete_model
            for model in (own, *own._meta.get_parent_list()):
                policies.setdefault(table_of(model), set()).add(policy.name)
    for table, heir in fetch(using, statement(__file__, "heirs"), {"tables": sorted(policies)}):
        names = ", ".join(map(repr, sorted(policies[table])))
        text = (
            f"{heir} inherits from {table}: its rows are read and deleted with those of {table}, no"
            f" trigger sees them written, and policy {names} ends nothing."
        )
        hint = f"ALTER TABLE {heir} NO INHERIT {table}; or make {heir} a partition."
        yield warning(124, text, hint)
