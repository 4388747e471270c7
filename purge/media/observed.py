"""Tables whose policies only observe: of these no file goes that the site itself took away."""

from datetime import datetime, timedelta
from typing import Any

from lifecycle.models import PolicyState
from lifecycle.policy.media_fields import ended_by, tracked
from lifecycle.policy.registry import all_policies

SHORTEST, LONGEST = timedelta(days=1), timedelta(days=7)


def observed(using: str) -> set[str]:
    """The labels of tables that are only under policies which may not act yet.

    `track_media` says that files are to go, whatever the policies of the table are.
    """
    states = PolicyState.objects.using(using).filter(state=PolicyState.State.OBSERVE)
    watching, acting = set[Any](), {each.model._meta.concrete_model for each in tracked()}
    names = set(states.values_list("name", flat=True))
    for policy in all_policies() if names else ():
        (watching if policy.name in names else acting).update(ended_by(policy))
    return {model._meta.label_lower for model in watching - acting}


def again(since: datetime, now: datetime) -> datetime:
    """When such a file is looked at again: it waits as long as it has waited."""
    return now + min(max(now - since, SHORTEST), LONGEST)
