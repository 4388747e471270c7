"""Every table of the site with what is proposed for it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.apps import apps
from django.db import OperationalError, transaction
from django.utils import timezone

from lifecycle.adoption.guess import guess, made_at
from lifecycle.adoption.scaffolded import fitting, policies_in, swapped_in
from lifecycle.adoption.tables import Table, only_looking, tables_of
from lifecycle.db.rows import every_row
from lifecycle.insight.estimate import estimated, planned
from lifecycle.policy.coverage import all_along, asked, kept
from lifecycle.policy.databases import is_at
from lifecycle.policy.fixed_age import age_of
from lifecycle.policy.packages import INSTALLED
from lifecycle.policy.policy import Policy
from lifecycle.policy.registry import all_policies, policies_of
from lifecycle.scaffolds import Scaffold

#: What there is for a table: a policy that is declared, or a reason to keep it; a scaffold; a guess
#: by its fields; another table with whose rows its own go along; nothing.
DECLARED, SCAFFOLD, GUESS, ALONG, NOTHING = "declared", "scaffold", "guess", "goes along", "nothing"
LATELY = timedelta(days=30)
ENOUGH = timedelta(days=1)  # of counters, to tell how many rows come in a day


@dataclass
class Proposal:
    """One table, and what would suit it.

    owner     the package that the model is of; '' for the site's own
    kind      one of DECLARED, SCAFFOLD, GUESS, ALONG, NOTHING
    name      the scaffold's, or the guessed policy's
    text      the declaration of a guess
    by_hand   why a scaffold is not written as it is
    due       policy -> rows that would end now, by the planner's statistics and without
              `keep_while`: None where nobody can say
    a_day     rows that come in a day, by `counted_by`: 'counters', or a field's name
    """

    model: Any
    table: Table
    owner: str
    kind: str
    name: str = ""
    reason: str = ""
    text: str = ""
    by_hand: str = ""
    policies: list[Policy] = field(default_factory=list)
    due: dict[str, int | None] = field(default_factory=dict)
    a_day: float | None = None
    counted_by: str = ""


def look(using: str) -> list[Proposal]:
    """All tables of this database that models have, the largest first. Writes nothing."""
    models = [model for model in asked() if is_at(model, using) and not model._meta.swapped]
    scaffolds, misfits = _scaffolds()
    with only_looking(using):
        tables = tables_of(models, using)
        found = [_propose(model, table, scaffolds, misfits) for model, table in tables.items()]
        _along(found)
        for each in found:
            _estimate(each, using)
    return sorted(found, key=lambda each: (-each.table.bytes, each.model._meta.label))


def _scaffolds() -> tuple[dict[Any, tuple[Scaffold, list[Policy]]], dict[str, str]]:
    """Model -> its scaffold with the policies on it; and why one does not fit, by its app."""
    found: dict[Any, tuple[Scaffold, list[Policy]]] = {}
    misfits = {}
    for each in fitting():
        try:
            policies = policies_in(each)
        except Exception as error:  # the text meets a version of the package that it does not know
            misfits[each.needs] = f"the scaffold {each.name!r} does not fit its version: {error}"
            continue
        for policy in policies:
            concrete = policy.model._meta.concrete_model
            found.setdefault(concrete, (each, []))[1].append(policy)
    return found, misfits


def _propose(
    model: Any, table: Table, scaffolds: dict[Any, tuple[Scaffold, list[Policy]]],
    misfits: dict[str, str],
) -> Proposal:  # fmt: skip
    owner = owner_of(model)
    if declared := policies_of(model):
        names = ", ".join(policy.name for policy in declared)
        return Proposal(model, table, owner, DECLARED, names, policies=declared)
    if model in kept():
        return Proposal(model, table, owner, DECLARED, reason=f"kept for ever: {kept()[model]}")
    if model in scaffolds:
        chosen, policies = scaffolds[model]
        says = " ".join(chosen.says.split()).partition(". ")[0].rstrip(".")
        made = Proposal(model, table, owner, SCAFFOLD, chosen.name, says, policies=policies)
        made.by_hand = _by_hand(chosen)
        return made
    if owner:
        reason = misfits.get(owner, "of a package, and no scaffold is for it")
        return Proposal(model, table, owner, NOTHING, reason=reason)
    guessed = guess(model)
    if guessed.policy is None:
        return Proposal(model, table, owner, NOTHING, reason=guessed.reason)
    made = Proposal(model, table, owner, GUESS, guessed.policy.name, guessed.reason, guessed.text)
    made.policies = [guessed.policy]
    return made


def _by_hand(chosen: Scaffold) -> str:
    """Why a scaffold cannot be written as it is; '' where it can."""
    if swapped := swapped_in(chosen):
        return f"{', '.join(swapped)} is swapped, and has no proxy"
    taken = {each.name for each in policies_in(chosen)} & {each.name for each in all_policies()}
    return f"{', '.join(sorted(taken))} is declared already" if taken else ""


def owner_of(model: Any) -> str:
    """The installed app that a model is of; '' where the app is the site's own."""
    config = apps.get_app_config(model._meta.app_label)
    return str(config.name) if is_package(config) else ""


def is_package(config: Any) -> bool:
    """Whether an app is installed, not the site's own."""
    return not INSTALLED.isdisjoint(Path(config.path).parts)


def _along(found: list[Proposal]) -> None:
    """Tables with no policy of their own whose rows all go along; nothing follows from a guess."""
    by_model = {each.model: each for each in found}
    for other in [each for each in found if each.kind in (DECLARED, SCAFFOLD)]:
        for policy in other.policies:
            if policy.when or policy.on_request:
                continue  # many of its rows have no end, nor what hangs on them
            for model in all_along(policy) & by_model.keys():
                _goes_with(by_model[model], other)


def _goes_with(each: Proposal, other: Proposal) -> None:
    if each.kind in (GUESS, NOTHING):
        each.kind, each.name, each.text, each.policies = ALONG, "", "", []
        each.reason = f"with rows of {other.model._meta.label}"


def _estimate(each: Proposal, using: str) -> None:
    """What would go now, and how many rows come in a day. Fills in."""
    now = timezone.now()
    if each.kind in (SCAFFOLD, GUESS):
        each.due = {policy.name: _due(policy, each.table, now, using) for policy in each.policies}
    since, stamp = each.table.since, made_at(each.model)
    if since is not None and now - since >= ENOUGH:
        each.a_day, each.counted_by = each.table.inserted / ((now - since) / ENOUGH), "counters"
    elif stamp and _can_tell(each.model, stamp, each.table):
        rows = every_row(each.model, using).filter(**{f"{stamp}__gt": now - LATELY})
        made = _unless_locked(lambda: planned(rows), using)
        each.a_day, each.counted_by = (None, "") if made is None else (made / LATELY.days, stamp)


def _due(policy: Policy, table: Table, now: datetime, using: str) -> int | None:
    aged = age_of(policy.expires)
    if aged is None or not _can_tell(policy.model, aged[0], table):
        return 0 if table.rows == 0 else None
    return _unless_locked(lambda: estimated(policy, now, using), using)


def _can_tell(model: Any, name: str, table: Table) -> bool:
    """Whether the planner has statistics of a field's column, and we may ask it."""
    return table.readable and model._meta.get_field(name).column in table.columns


def _unless_locked(ask: Callable[[], int | None], using: str) -> int | None:
    """The answer; None where somebody else has locked the table."""
    try:
        with transaction.atomic(using=using):
            return ask()
    except OperationalError:
        return None
