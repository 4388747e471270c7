"""Checks of conditions that keep rows of groups."""

from collections.abc import Iterator
from typing import Any

from django.core.checks import CheckMessage
from django.db.models import UniqueConstraint

from lifecycle.checks.messages import warning
from lifecycle.compiler.groups import groups_of
from lifecycle.policy.policy import Policy


def group_has_an_index(policy: Policy) -> list[CheckMessage]:
    """W049: a look at a group reads all of it, or all of the table."""
    model: Any = policy.model._meta.concrete_model
    indexed = [[name.lstrip("-") for name in each] for each in _indexes(model)]
    found = {}
    for group in groups_of(policy):
        per, by = group.rule.per, str(group.rule.by)
        if not any(_serves(each, set(per), by) for each in indexed):
            found[(*per, by)] = group.rule
    return [_missing(policy, list(names), rule) for names, rule in found.items()]


def _missing(policy: Policy, names: list[str], rule: Any) -> CheckMessage:
    whole = "all rows of its group" if rule.per else "the whole table"
    text = (
        f"No index begins with {', '.join(names)}: {type(rule).__name__} reads {whole} each time."
    )
    fields = ", ".join(f'"{name}"' for name in names)
    return warning(49, text, f"Add Meta.indexes = [models.Index(fields=[{fields}])].", policy)


def _serves(names: list[str], per: set[str], by: str) -> bool:
    """Whether an index begins with the fields of a group, in any order, and then their order."""
    return set(names[: len(per)]) == per and names[len(per) : len(per) + 1] == [by]


def _indexes(model: Any) -> Iterator[list[str]]:
    """The fields of each index of the whole table, as the model declares them."""
    for field in model._meta.local_concrete_fields:
        if field.db_index or field.unique:
            yield [field.name]
    for each in model._meta.indexes:
        if each.condition is None:
            yield list(each.fields)
    for each in model._meta.constraints:
        if isinstance(each, UniqueConstraint) and each.condition is None:
            yield list(each.fields)


GROUPS = (group_has_an_index,)
