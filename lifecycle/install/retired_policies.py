"""Policies that were taken out of the code, come back under the same name, or change their model.

A removed policy ends nothing. What its agenda lists stays, for it may come back by `previously`;
but one that is declared again must not act on what was tombstoned or expired by hand in its
earlier life: it begins as a new one does, and its rows get new tombstones and their whole grace.
"""

import re

from django.apps import apps
from django.db import transaction

from lifecycle.db.connection import fetch, statement
from lifecycle.install.triggers import attached
from lifecycle.ledger.policy_states import wait_for_batches, write_state
from lifecycle.models import PolicyState
from lifecycle.policy.registry import all_policies

Removed = PolicyState.State.REMOVED


def retire(using: str) -> list[str]:
    """Say of each policy that code and triggers have gone that it is removed; their names.

    While a trigger of it is there another version of the code may have it, as in a rolling deploy:
    it is left as it is, and `status` says that this code does not declare it.
    """
    declared = {policy.name for policy in all_policies()}
    stored = PolicyState.objects.using(using).exclude(name__in=declared).exclude(state=Removed)
    recorded = _recorded(using) if stored else set()
    gone = [each.name for each in stored if each.name not in recorded]
    for name in gone:
        remove(name, using)
    return gone


def remove(name: str, using: str) -> None:
    """Nothing of the policy ends any more; waits for a batch under way."""
    with transaction.atomic(using=using):
        wait_for_batches(name, using)
        write_state(name, "policy_changed", Removed, using)


def begins_anew(known: PolicyState | None, kind: str, model: str) -> str:
    """Why what the database knows of a policy is of another life; '' where it goes on.

    It was removed and is `declared` again, is on another `model` now, or the table has a `key` of
    another type: the keys that its agenda lists name other rows, or none.
    """
    if known is None:
        return ""
    if known.state == Removed:
        return "declared"
    if known.model != model:
        return "model"
    return "key" if known.key_kind != kind else ""


def follow(known: PolicyState | None, model: str, using: str) -> None:
    """Where the policy's model has another name or app now, take its holds along.

    Else a held row would be held under a name that nothing looks for. Rows that were tombstoned
    under the old name get a new tombstone: what has happened to their keys since stands under it.
    """
    if known is None or known.model == model or is_model(known.model):
        return
    params = {"policy": known.name, "model": model, "formerly": known.model}
    wait_for_batches(known.name, using)
    fetch(using, statement(__file__, "move_policy"), params)
    known.refresh_from_db(using=using)


def is_model(label: str) -> bool:
    """Whether the code has a model of this name."""
    try:
        return bool(apps.get_model(label))
    except (LookupError, ValueError):
        return False


def _recorded(using: str) -> set[str]:
    """The policies that have a trigger on some table."""
    names = (each.trigger for each in attached(using))
    found = (re.fullmatch(r"pgtrigger_lc_(\w+)_[iu]_[0-9a-f]{5}", name) for name in names)
    return {match[1].replace("_", "-") for match in found if match}
