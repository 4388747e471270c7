"""The lines of the concept: a model and a policy each, or a model and why there is none."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Model

from lifecycle.concept.stages import as_one, joined_places, together
from lifecycle.db.rows import home
from lifecycle.insight import declared
from lifecycle.insight.words import moment, span
from lifecycle.phrases import phrase
from lifecycle.policy.coverage import UNWRITTEN, all_along, asked, kept, taken_along
from lifecycle.policy.described import description
from lifecycle.policy.fixed_age import age_of
from lifecycle.policy.policy import Policy
from lifecycle.policy.registry import all_policies, policies_of
from lifecycle.policy.stages import when_of

#: What becomes of rows: they end by a policy; they go along with others; none of the model's
#: policies applies to them; they are kept, for a reason; nobody has said.
ENDS, ALONG, REST, KEPT, UNDECIDED = "ends", "goes along", "no end", "kept", "undecided"
THEN = phrase("at that moment")  # a period of no length


@dataclass(frozen=True)
class Entry:
    """One line. What is not said is ''.

    data      which kind of data, as `describe` says it, or the model's own name
    fields    the columns' names for people
    rule      one of ENDS, ALONG, REST, KEPT, UNDECIDED
    state     of the policy in its database: only one that is `enabled` ends rows
    rows      which of them
    starts    the moment from which the period counts
    period    how long from then until a row's end, with the grace after it
    method    what the end is
    kept_by   what keeps a row beyond it
    basis     the policy's legal basis; the reason of what is kept
    places    where the data is, and what becomes of it there
    """

    model: str
    table: str
    database: str
    data: str
    fields: tuple[str, ...]
    responsible: str
    rule: str
    policy: str = ""
    state: str = ""
    rows: str = ""
    starts: str = ""
    period: str = ""
    method: str = ""
    kept_by: str = ""
    basis: str = ""
    places: tuple[str, ...] = ()


def entries(states: dict[str, str]) -> list[Entry]:
    """Every model that has tables of its own, by label; `states` are the policies' by name."""
    models = sorted(asked(), key=lambda model: model._meta.label)
    return [entry for model in models for entry in _of_model(model, states)]


def _of_model(model: type[Model], states: dict[str, str]) -> Iterator[Entry]:
    policies = policies_of(model)
    for stages in together(policies):
        said = [_of_policy(each, states) for each in stages]
        yield _entry(model, ENDS, places=joined_places(stages), **as_one(stages, said))
    if policies and not any(_takes_all(policy) for policy in policies):
        rest = phrase(
            "Rows, if there are any, to which none of %(policies)s applies.",
            policies=_named(policies),
        )
        yield _entry(model, REST, rows=rest)
    if not policies:
        yield _without_a_policy(model)


def _takes_all(policy: Policy) -> bool:
    """Whether each row of its table comes to an end by it."""
    return not when_of(policy) and not policy.on_request


def _without_a_policy(model: type[Model]) -> Entry:
    whole, part = _owners(model)
    if model in kept():
        reason = "" if kept()[model].startswith(UNWRITTEN) else kept()[model]
        return _entry(model, KEPT, rows=phrase("All rows."), basis=reason)
    owners, rule = (whole, ALONG) if whole else (part, UNDECIDED)
    rows = phrase("All that belong to a row that ends.") if owners else ""
    period = phrase("as by %(policies)s", policies=_named(owners)) if owners else ""
    return _entry(
        model, rule, policy=_named(owners), rows=rows, period=period, method=_along(owners)
    )


def _entry(model: type[Model], rule: str, **said: Any) -> Entry:
    own: Any = model._meta
    data, responsible = description(model)
    names = tuple(str(field.verbose_name) for field in own.local_concrete_fields)
    return Entry(own.label, own.db_table, home(model), data, names, responsible, rule, **said)


def _of_policy(policy: Policy, states: dict[str, str]) -> dict[str, str]:
    starts, period = _start_and_period(policy)
    return {
        "policy": policy.name, "state": states.get(policy.name, ""),
        "rows": declared.which(policy), "starts": starts, "period": period,
        "method": declared.ending(policy), "kept_by": declared.kept(policy),
        "basis": policy.basis or "",
    }  # fmt: skip


def _start_and_period(policy: Policy) -> tuple[str, str]:
    """A field and a fixed age are told apart; of any other expression the whole is the start."""
    if policy.on_request:
        return phrase("a request"), _with_grace(THEN, policy)
    aged = age_of(policy.expires)
    if aged is None:
        return moment(policy.expires), _with_grace(THEN, policy)
    field, age = aged
    return _field_name(policy.model, field), _with_grace(span(age) if age else THEN, policy)


def _field_name(model: type[Model], name: str) -> str:
    said = str(model._meta.get_field(name).verbose_name) if "__" not in name else name  # type: ignore[union-attr]
    return said if said.replace(" ", "_") == name else f"{said} ({name})"


def _with_grace(period: str, policy: Policy) -> str:
    if policy.grace == timedelta(0):
        return period
    fixed = isinstance(policy.grace, timedelta)
    grace: Any = policy.grace
    told = span(grace) if fixed else phrase("by the row's %(moment)s", moment=moment(grace))
    return phrase("%(period)s, then a grace: %(grace)s", period=period, grace=told)


def _owners(model: type[Model]) -> tuple[list[Policy], list[Policy]]:
    """The policies whose ends take along all rows of a model, and those that may take some."""
    others = all_policies()
    return (
        [each for each in others if model in all_along(each)],
        [each for each in others if model in taken_along(each)],
    )


def _named(policies: list[Policy]) -> str:
    return ", ".join(policy.name for policy in policies)


def _along(policies: list[Policy]) -> str:
    labels = sorted({policy.model._meta.label for policy in policies})
    if not labels:
        return ""
    return phrase("Deleted along with rows of %(models)s.", models=", ".join(labels))
