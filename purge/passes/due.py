"""What is due, and of which policies that may act."""

from datetime import datetime
from typing import NamedTuple

from django.db import DEFAULT_DB_ALIAS

from lifecycle.db.connection import fetch, scalar, statement
from lifecycle.policy.purge_hours import hours_of, is_open
from lifecycle.policy.registry import all_policies
from purge.batch.brakes import differs, is_other_version
from purge.batch.outcome import MEDIA
from purge.batch.state import BEGINNING


class Ready(NamedTuple):
    """A policy that may act: whether anything of it is due, whether its hours let it end rows."""

    policy: str
    due: bool
    open: bool


def due_rows(policy: str, using: str = DEFAULT_DB_ALIAS) -> int:
    """How many rows the due entries of a policy list, at most."""
    return int(scalar(using, statement(__file__, "due_listed"), {"policy": policy}))


def due_policies(using: str = DEFAULT_DB_ALIAS, since: datetime = BEGINNING) -> list[str]:
    """The policies of this code that have something due and may act."""
    ready = ready_policies(using, since)
    return [each.policy for each in ready if each.due and each.policy != MEDIA]


def ready_policies(using: str = DEFAULT_DB_ALIAS, since: datetime = BEGINNING) -> list[Ready]:
    """The policies of this code that are neither stopped, held nor declared differently.

    Media are among them, as `MEDIA`.
    """
    if is_other_version(using):
        return []
    declared = {policy.name: policy for policy in all_policies()}
    timed = [name for name, policy in declared.items() if hours_of(policy)]
    params = {"since": since, "timed": timed, "media": MEDIA}
    ready = []
    for name, stored, now, due, tombstones in fetch(
        using, statement(__file__, "due_policies"), params
    ):
        if name == MEDIA:
            ready.append(Ready(name, due, True))
        policy = declared.get(name)
        if policy and not differs(policy, stored):
            opened = name not in timed or is_open(policy, now)
            some = due if opened else tombstones and policy.disposition.hides
            ready.append(Ready(name, some, opened))
    return ready
