"""Checks of the stages of rows against each other."""

from collections.abc import Iterator
from typing import Any

from django.core.checks import CheckMessage
from django.core.exceptions import FieldDoesNotExist
from django.db.models import GeneratedField
from django.db.models.sql import Query

from lifecycle.checks import policy_query
from lifecycle.checks.messages import error
from lifecycle.compiler.fingerprint import field_names
from lifecycle.compiler.groups import groups_of
from lifecycle.compiler.identity import identity_of
from lifecycle.policy.dispositions import Update
from lifecycle.policy.policy import Policy
from lifecycle.policy.stages import Stages, stages_of


def stages_leave_each_other_alone(policy: Policy) -> list[CheckMessage]:
    """E050: a stage sets a column by which it, or another one, finds its rows or their end."""
    stages = stages_of(policy)
    if stages is None or not isinstance(policy.disposition, Update):
        return []
    hint = "Set other columns; one that tells the stage apart is not needed."
    return [error(50, text, hint, policy) for text in _faults(stages, policy)]


def _faults(stages: Stages, policy: Policy) -> Iterator[str]:
    read, own = _read(stages), _set(policy)
    before = stages.policies[: stages.policies.index(policy)]
    for name in sorted(own & read):
        yield f"A stage sets {name!r}, by which the stages of {stages.name!r} go."
    for name in sorted(own.intersection(*[set().union(*map(_set, before))])):
        yield f"A stage sets {name!r}, which a stage before it sets too: they would take turns."
    changed = set().union(*map(_set, stages.policies))
    for name, value in policy.disposition.values.items():  # type: ignore[attr-defined]
        made_of = _sources(policy, _names(policy, field_names(value)))
        for other in sorted(made_of & changed - _names(policy, {name})):
            yield f"A stage sets {name!r} to what is made of {other!r}, which is set too."


def _set(policy: Policy) -> set[str]:
    return _names(policy, getattr(policy.disposition, "values", {}))


def _read(stages: Stages) -> set[str]:
    """What decides which rows the stages take, when, what keeps them, and what tells them apart."""
    found = {stages.since.split("__")[0], *identity_of(stages.model)} | field_names(stages.when)
    for each in stages.policies:
        grace: Any = each.grace
        found |= {grace} if isinstance(grace, str) else field_names(grace)
        found |= field_names(each.keep_while) | {*each.identity} | _read_by_queries(each)
        for group in groups_of(each):
            found |= {*group.rule.per, str(group.rule.by)}
    first = stages.policies[0]
    return _sources(first, _names(first, found))


def _read_by_queries(policy: Policy) -> set[str]:
    """The table's columns in what the ORM makes of `keep_while` and the grace, subqueries too."""
    query = policy_query.state(policy)
    inside = _columns(query) if query is not None else ()
    return {each.attname for each in inside if each.model is policy.model._meta.concrete_model}


def _columns(node: Any) -> Iterator[Any]:
    """The fields that a resolved expression or query reads."""
    if (target := getattr(node, "target", None)) is not None:
        yield target
    for inner in _inside(node):
        yield from _columns(inner)


def _inside(node: Any) -> list[Any]:
    if isinstance(node, Query):
        return [node.where, *node.select, *node.annotations.values(), *node.combined_queries]
    return list(getattr(node, "get_source_expressions", list)())


def _sources(policy: Policy, names: set[str]) -> set[str]:
    """Columns with those of which they are generated."""
    fields = policy.model._meta.concrete_fields
    made = [each for each in fields if isinstance(each, GeneratedField) and each.attname in names]
    found = [field_names(each.expression) for each in made]  # type: ignore[attr-defined]
    return names | _names(policy, set().union(*found))


def _names(policy: Policy, names: Any) -> set[str]:
    """Fields by one name each: that of their column in Python."""
    return {_name(policy, str(name)) for name in names}


def _name(policy: Policy, name: str) -> str:
    try:
        return str(getattr(policy.model._meta.get_field(name), "attname", name))
    except FieldDoesNotExist:
        return name


STAGES = (stages_leave_each_other_alone,)
