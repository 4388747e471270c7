"""Policies that were taken out of the code, and those that come back under the same name.

A removed policy ends nothing. What its agenda lists stays, for it may come back by `previously`;
but one that is declared again must not act on what was tombstoned or expired by hand in its
earlier life: it begins as a new one does, and its rows get new tombstones and their whole grace.
"""

import re

from django.db import transaction

from .db import fetch, statement
from .models import PolicyState
from .registry import all_policies

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
        fetch(using, statement(__file__, "bar_policy"), {"policy": name})
        params = {"policy": name, "kind": "policy_changed", "state": Removed, "allow": 0}
        fetch(using, statement(__file__, "change_state"), params)


def begins_anew(known: PolicyState | None, kind: str) -> str:
    """Why what the database knows of a policy is of another life: `declared` again, another `key`.

    '' where it goes on. Keys of another type name no row of the table any more.
    """
    if known is None:
        return ""
    if known.state == Removed:
        return "declared"
    return "key" if known.key_kind != kind else ""


def _recorded(using: str) -> set[str]:
    """The policies that have a trigger on some table."""
    names = (name for _, _, name, _ in fetch(using, statement(__file__, "attached")))
    found = (re.fullmatch(r"pgtrigger_lc_(\w+)_[iu]_[0-9a-f]{5}", name) for name in names)
    return {match[1].replace("_", "-") for match in found if match}
