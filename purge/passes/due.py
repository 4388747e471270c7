"""What is due, and of which policies that may act."""

from datetime import datetime
from typing import NamedTuple

from django.db import DEFAULT_DB_ALIAS, ProgrammingError

from lifecycle.compiler.partitions import is_partitioned
from lifecycle.db.connection import fetch, scalar, statement
from lifecycle.db.version import VERSION
from lifecycle.ledger.pending import DUE_AGENDA
from lifecycle.policy.policy import Policy
from lifecycle.policy.purge_hours import is_open, with_hours
from lifecycle.policy.registry import all_policies
from lifecycle.policy.stages import in_turn
from purge.batch.brakes import differs, is_other_version
from purge.batch.outcome import MEDIA
from purge.batch.state import BEGINNING


class Ready(NamedTuple):
    """A policy that may act: whether anything of it is due, whether its hours let it end rows."""

    policy: str
    due: bool
    open: bool


class Beat(NamedTuple):
    """What the database says at one beat.

    acting    which policies may act, and what else decides whether the whole question has another
              answer than before
    due       whether anything is due of them, or of the media
    numbered  the number of the last event
    """

    acting: tuple[str, ...]
    due: bool
    numbered: int


def beat(using: str, since: datetime) -> Beat | None:
    """The short question, asked once a second; None where only the whole one can tell.

    That is where the database has another version: its function may be another one, or missing.
    """
    try:
        rows = fetch(using, statement(__file__, "beat"), {"since": since, "media": MEDIA})
    except ProgrammingError:
        return None
    version, in_use, clock, acting, due, numbered = rows[0]
    if version != VERSION or not in_use:
        return None
    closed = [each.name for each in with_hours(all_policies()) if not is_open(each, clock)]
    return Beat((acting or "", *closed), due, numbered)


def due_rows(policy: str, using: str = DEFAULT_DB_ALIAS) -> int:
    """How many rows the due entries of a policy list, at most."""
    return int(scalar(using, _asked("due_listed"), {"policy": policy}))


def due_policies(using: str = DEFAULT_DB_ALIAS, since: datetime = BEGINNING) -> list[str]:
    """The policies of this code that have something due and may act."""
    ready = ready_policies(using, since)
    return [each.policy for each in ready if each.due and each.policy != MEDIA]


def _asked(name: str) -> str:
    return statement(__file__, name, due_agenda=DUE_AGENDA)


def _tombstones(policy: Policy) -> bool:
    """Whether there is something to do for it outside its hours: no partition is tombstoned."""
    return policy.disposition.hides and not is_partitioned(policy)


def ready_policies(using: str = DEFAULT_DB_ALIAS, since: datetime = BEGINNING) -> list[Ready]:
    """The policies of this code that are neither stopped, held nor declared differently.

    Media are among them, as `MEDIA`. Of stages the later comes first, so that a row which is past
    both is deleted rather than updated in vain; the earlier where the last one archives.
    """
    if is_other_version(using):
        return []
    declared = {policy.name: policy for policy in all_policies()}
    timed = [policy.name for policy in with_hours(declared.values())]
    params = {"since": since, "timed": timed, "media": MEDIA}
    ready = []
    for name, stored, now, due, tombstones in fetch(using, _asked("due_policies"), params):
        if name == MEDIA:
            ready.append(Ready(name, due, True))
        policy = declared.get(name)
        if policy and not differs(policy, stored):
            opened = name not in timed or is_open(policy, now)
            some = due if opened else tombstones and _tombstones(policy)
            ready.append(Ready(name, some, opened))
    return sorted(ready, key=lambda each: in_turn(declared.get(each.policy), each.policy))
