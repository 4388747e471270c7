"""Tables that a policy reads beside its own: of what keeps a row, and what goes along with it."""

from functools import cache
from typing import Any

from django.apps import apps

from lifecycle.compiler.policy_sql import compiled
from lifecycle.compiler.row_tables import models_of
from lifecycle.db.tables import table_of
from lifecycle.policy.coverage import taken_along
from lifecycle.policy.policy import Policy


@cache
def models_beside(policy: Policy) -> tuple[Any, ...]:
    """Models of rows that may go along, and those whose tables stand in the policy's SQL.

    One too many does no harm, where a table's name is a part of another text.
    """
    text = compiled(policy).state_sql
    every = apps.get_models(include_auto_created=True)
    named = {m for m in every if m._meta.managed and table_of(m) in text}
    found = (named | taken_along(policy)) - {*models_of(policy)}
    return tuple(sorted(found, key=lambda model: model._meta.label_lower))
