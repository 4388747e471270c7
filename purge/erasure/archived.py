"""Archives that have rows of somebody who is erased, and asking that they lose them.

A policy says by `Archive(erased_with=...)` which columns of its archived rows name the row that is
erased. What is asked for is an event, in the erasure's own transaction; a worker does it once the
row is gone.
"""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model

from lifecycle.compiler.keys import label_of
from lifecycle.db.connection import fetch, scalar, statement
from lifecycle.exceptions import LifecycleError
from lifecycle.phrases import at, joined, number, phrase
from lifecycle.policy.databases import is_at
from lifecycle.policy.dispositions import Archive
from lifecycle.policy.policy import Policy
from lifecycle.policy.registry import all_policies

KIND = "archive_erased"


class Link(NamedTuple):
    """A column of archived rows, and the model whose key it has."""

    column: str
    field: str  # of the model today; empty where it has none of that name
    target: type[Model]


def links(policy: Policy) -> list[Link]:
    """By what archived rows of a policy are somebody's; `LifecycleError` where it cannot be."""
    own = policy.disposition
    if not isinstance(own, Archive):
        return []
    return [_link(policy, name, target) for name, target in own.erased_with.items()]


def _link(policy: Policy, name: str, target: Any) -> Link:
    model: Any = policy.model._meta.concrete_model
    try:
        field = model._meta.get_field(name)
    except FieldDoesNotExist:
        field = None
    if target is not None:
        column = str(getattr(field, "column", None) or name)
        return Link(column, name if field else "", _named(policy, name, target))
    if field is None or not getattr(field, "column", None):
        raise LifecycleError(f"{policy.name}: {model._meta.label} has no column of {name!r}.")
    return Link(str(field.column), name, _referred(policy, model, field))


def _named(policy: Policy, name: str, target: Any) -> type[Model]:
    try:
        found: Any = apps.get_model(target) if isinstance(target, str) else target
        return found._meta.concrete_model
    except (LookupError, ValueError, AttributeError) as error:
        raise LifecycleError(f"{policy.name}: {name!r} names no model.") from error


def _referred(policy: Policy, model: Any, field: Any) -> type[Model]:
    if not field.is_relation:
        if field.primary_key:
            return model
        raise LifecycleError(f"{policy.name}: {field.name!r} refers to no model: say to which.")
    if not field.target_field.primary_key:
        raise LifecycleError(
            f"{policy.name}: {field.name!r} refers by {field.target_field.name!r}, and of a row"
            " that is gone only its key is known."
        )
    return field.related_model._meta.concrete_model


def links_to(policy: Policy, model: type[Model]) -> list[Link]:
    """The links by which archived rows of a policy are those of a row of a model."""
    own: Any = model._meta.concrete_model
    return [each for each in links(policy) if issubclass(own, each.target)]


def archiving_of(model: type[Model], using: str) -> list[Policy]:
    """The policies in whose archives rows are erased with a row of a model."""
    here = (policy for policy in all_policies() if is_at(policy.model, using))
    return [policy for policy in here if links_to(policy, model)]


def ask(model: type[Model], erasure: int, reference: str, using: str) -> None:
    """Ask that archives lose the rows of the row of an erasure, in the caller's transaction."""
    policies = archiving_of(model, using)
    for policy in policies:
        said = {"step": "asked", "erasure": erasure, "reference": reference}
        say(policy.name, label_of(policy), using, **said)
    if policies:
        project(using)


def say(policy: str, label: str, using: str, **detail: Any) -> int:
    """Append an event about archives of a policy; cause and actor are the session's."""
    params = {"policy": policy, "model": label, "detail": json.dumps(detail)}
    return int(scalar(using, statement(__file__, "say"), params))


def project(using: str) -> None:
    """Make of the events what is left to do, as far as it is not noted yet."""
    fetch(using, statement(__file__, "project"))
    fetch(using, statement(__file__, "project_old"))


def rebuild(using: str) -> None:
    """What is left to do again from the ledger; what a worker has noted of its tries is lost."""
    fetch(using, statement(__file__, "forget"))
    lose(using)
    project(using)


def lose(using: str, names: list[str] | None = None) -> None:
    """Have archives that the ledger calls lost hold no row that is still in its table."""
    fetch(using, statement(__file__, "lose"), {"names": names})


def steps_of(events: list[Any], using: str) -> list[dict[str, Any]]:
    """What became of archives, by policy, for the receipt of an erasure; from its events.

    rows      that archives have no longer
    archives  that were rewritten: the name of each that has them no longer
    gone      how many of those are gone, with every version of their files
    done      when all were read and nothing is left
    lost      archives that it was done without, for a person has declared them lost: nothing says
              that rows of them were erased
    waits_for what it waits for now
    """
    return [
        _step(events, policy, using) for policy in dict.fromkeys(each.policy for each in events)
    ]


def _step(events: list[Any], policy: str, using: str) -> dict[str, Any]:
    own = [each for each in events if each.policy == policy]
    at = {name: [e for e in own if e.detail.get("step") == name] for name in STEPS}
    asked = [each.pk for each in at["asked"]]
    ended = [*at["done"], *at["withdrawn"]]
    is_over = len(ended) >= len(asked) and len(at["gone"]) >= len(at["rewritten"])
    return {
        "policy": policy,
        "rows": sum(int(each.detail.get("fewer", 0)) for each in at["rewritten"]),
        "archives": [each.detail["replaces"] for each in at["rewritten"]],
        "gone": len(at["gone"]),
        "done": max((e.recorded_at for e in (*ended, *at["gone"])), default=None)
        if is_over
        else None,
        "lost": at["done"][-1].detail.get("lost", []) if is_over and at["done"] else [],
        "waits_for": "" if is_over else "; ".join(_waits(asked, using)) or "old files",
    }


STEPS = ("asked", "rewritten", "gone", "done", "withdrawn")


def _waits(asked: list[int], using: str) -> Iterator[str]:
    for (why,) in fetch(using, statement(__file__, "waits"), {"asked": asked}):
        yield why or phrase("a worker")


def waiting(steps: list[dict[str, Any]]) -> str:
    """Which archives still have rows, and why; empty where none does."""
    left = [each for each in steps if not each["done"]]
    return joined(
        "; ",
        [
            phrase(
                "archives of %(policy)s wait for %(why)s", policy=e["policy"], why=e["waits_for"]
            )
            for e in left
        ],
    )


def in_words(step: dict[str, Any]) -> str:
    """What became of the archives of one policy."""
    rows, done = _rows(step), step["done"]
    if not done:
        why = step["waits_for"]
        rows = phrase("%(rows)s, waits for %(why)s", rows=rows, why=why)
    elif step["archives"]:
        rows = phrase("%(rows)s, old files gone %(time)s", rows=rows, time=at(done))
    if step["lost"]:
        lost = phrase("declared lost, not erased: %(names)s", names=", ".join(step["lost"]))
        rows = joined("; ", [rows, lost])
    return joined(": ", [step["policy"], rows])


def _rows(step: dict[str, Any]) -> str:
    if step["archives"]:
        count = len(step["archives"])
        return phrase(
            "%(rows)s rows erased, archives rewritten: %(count)s",
            rows=number(step["rows"]),
            count=count,
        )
    if step["done"] and step["lost"]:
        return phrase("no other archive has rows of it")
    if step["done"]:
        return phrase("no archive has rows of it")
    return phrase("not looked through yet")
