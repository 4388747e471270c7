"""Checks of what the database does by itself to rows that refer to those which policies end."""

from collections.abc import Iterator
from typing import Any

from django.core.checks import CheckMessage
from django.db.models import DO_NOTHING

from lifecycle.checks.messages import warning
from lifecycle.db.ties import IN_DATABASE, Tie, table_of, ties
from lifecycle.policy.coverage import deletes, taken_along
from lifecycle.policy.databases import is_at
from lifecycle.policy.media_fields import file_fields, watched
from lifecycle.policy.registry import all_policies

ACTIONS = {"c": "deletes", "n": "empties the links of", "d": "changes the links of"}


def tied(using: str) -> Iterator[CheckMessage]:
    """W113: the database takes rows along, or changes them, and no model says so."""
    for tie in ties(using, _tables(using)):
        declared = tie.on_delete
        if declared in (None, DO_NOTHING) or IN_DATABASE.get(declared, tie.action) != tie.action:
            model, action = tie.model, ACTIONS[tie.action]
            text = (
                f"When a policy ends a row of {tie.upper!r}, {tie.name} {action} rows of"
                f" {tie.table!r}: the database does it, "
            )
            text += f"and {model._meta.label} does not say so." if model else "and it has no model."
            yield warning(113, text, _hint(tie, model), model)


def _tables(using: str) -> list[str]:
    """Of the models of which a policy may delete rows here."""
    models = set()
    for policy in all_policies():
        if deletes(policy) and is_at(policy.model, using):
            own: Any = policy.model._meta.concrete_model
            models |= {own, *own._meta.get_parent_list(), *taken_along(policy)}
    return sorted({table_of(model._meta.concrete_model) for model in models})


def _hint(tie: Tie, model: Any) -> str:
    if model is None:
        return "Declare a model for the table, unmanaged if need be: else nobody can hold its rows."
    hint = "Say on_delete=DB_CASCADE and the like (Django 6.1), or let Django do it."
    is_watched = model in {each.model._meta.concrete_model for each in watched()}
    if tie.deletes and file_fields(model) and not is_watched:
        hint += f" Its files are left behind: say track_media({model.__name__})."
    return hint
