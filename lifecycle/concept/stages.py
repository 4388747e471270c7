"""Stages in the concept: one line for all ends of the same rows."""

from collections.abc import Iterable
from typing import Any

from lifecycle.concept.places import places
from lifecycle.phrases import joined, phrase, without_stop
from lifecycle.policy.policy import Policy
from lifecycle.policy.stages import Stages, stages_of

#: what an end says after the one before it; all else only differs
IN_TURN = ("period", "method")


def together(policies: Iterable[Policy]) -> list[list[Policy]]:
    """The policies, those that are stages of the same rows together, in their order."""
    found: dict[str | Stages, list[Policy]] = {}
    for policy in policies:
        stages = stages_of(policy)
        found[stages or policy.name] = [policy] if stages is None else [*stages.policies]
    return list(found.values())


def as_one(policies: list[Policy], said: list[dict[str, str]]) -> dict[str, str]:
    """What is said of policies, as of one: what is not the same, by the names of its stages."""
    found = {name: _joined(policies, name, [each[name] for each in said]) for name in said[0]}
    return found | {"policy": ", ".join(each.name for each in policies)}


def joined_places(policies: list[Policy]) -> tuple[str, ...]:
    """Where the data of any of them is, each place once."""
    return tuple(dict.fromkeys(place for policy in policies for place in places(policy)))


def _joined(policies: list[Policy], name: str, values: list[str]) -> str:
    if len(set(values)) == 1:
        return values[0]
    none = phrase("none")
    ends: list[Any] = [without_stop(value) if value.rstrip(".") else none for value in values[:-1]]
    ends.append(values[-1] or none)
    told = [joined(": ", [_stage(each), value]) for each, value in zip(policies, ends, strict=True)]
    return _in_turn(told) if name in IN_TURN else joined("; ", told)


def _in_turn(told: list[Any]) -> Any:
    first, *later = told
    return phrase("%(one)s; then %(next)s", one=first, next=_in_turn(later)) if later else first


def _stage(policy: Policy) -> str:
    stages = stages_of(policy)
    return policy.name.removeprefix(f"{stages.name}-") if stages else policy.name
