"""Rows that were there before their policy, or came past the triggers: list them too.

`migrate` marks what has to be read, in `lifecycle_backfill`; how far the reading has come stands
there as well, so that it goes on wherever it was stopped. Neither is made from the ledger: lost,
they cost a second reading, not a row. Each chunk is a transaction of its own that locks no row and
ends none; it only appends to the ledger what is not on the agenda yet.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db import DEFAULT_DB_ALIAS, DatabaseError

from lifecycle.backfill.chunk import Found, Lister
from lifecycle.compiler.fingerprint import capture_fingerprint, fingerprint
from lifecycle.compiler.partitions import is_partitioned
from lifecycle.compiler.policy_sql import compiled
from lifecycle.compiler.row_tables import models_of
from lifecycle.compiler.windows import is_windowed
from lifecycle.conf import conf
from lifecycle.db.connection import (
    LOCK_NOT_AVAILABLE,
    fetch,
    own_transaction,
    sqlstate,
    statement,
)
from lifecycle.db.pieces import most_of, take_fewer
from lifecycle.db.tables import is_elsewhere
from lifecycle.db.version import to_install
from lifecycle.exceptions import LifecycleError
from lifecycle.ledger.caps import estimated_rows, estimated_tables
from lifecycle.ledger.windows_due import MOST, list_windows
from lifecycle.models import Backfill, PolicyState
from lifecycle.phrases import phrase
from lifecycle.policy.policy import Policy
from lifecycle.policy.registry import all_policies

CHUNK = 50_000  # rows at most; of a slower pace what it allows in so many seconds
READING = "a reading of its table"
SECONDS = 2.5
SLOWEST = 1_000  # rows a second of a reconcile pass, on the smallest table
ASKED, FAILED, RECONCILE = Backfill.Why.ASKED, Backfill.Why.FAILED, Backfill.Why.RECONCILE


@dataclass(frozen=True)
class Step:
    """What one chunk did, in rows; `pause` seconds should pass before the next one."""

    rows: int
    listed: int
    failed: int
    pause: float
    finished: bool


@dataclass(frozen=True)
class Progress:
    """How far the backfill of one policy has come, in rows.

    about     the planner's count of all rows; what is read, where all is
    percent   100 only when all is read
    """

    why: str
    finished: bool
    read: int
    about: int
    percent: int
    listed: int
    failed: int

    def __str__(self) -> str:
        return phrase(
            "%(read)s of about %(about)s rows (%(percent)s %%)",
            read=self.read,
            about=self.about,
            percent=self.percent,
        )


def mark(policy: Policy, using: str, filled: bool, anew: bool) -> None:
    """Have a policy's table read, if its triggers go by something new since it was read last.

    `anew`: in any case; for a while no trigger has recorded its rows.
    """
    capture = f"{capture_fingerprint(policy)} {type(policy.capture).__name__}"
    is_filled = filled and not (policy.on_request or is_partitioned(policy))
    params = {"policy": policy.name, "capture": capture, "filled": is_filled, "anew": anew}
    fetch(using, statement(__file__, "backfill_mark"), params)


def ask(policy: Policy, using: str = DEFAULT_DB_ALIAS) -> None:
    """Have the whole table read again; one that is being read for its policy's sake goes on.

    Raises `LifecycleError` where nobody may read it now.
    """
    refuse_stopped(policy, using)
    _again([policy.name], using, ASKED, timedelta(0))


def refuse_stopped(policy: Policy, using: str) -> None:
    """Raise a `LifecycleError` that says why the policy's table may not be read."""
    if is_partitioned(policy):
        raise LifecycleError(f"{policy.name} ends whole partitions: no row of it is listed.")
    known = PolicyState.objects.using(using).filter(name=policy.name).first()
    if known is None:
        raise LifecycleError(f"{policy.name} is not in the database yet: {to_install(using)}.")
    if known.fingerprint != fingerprint(policy):
        raise LifecycleError(
            f"{policy.name} is declared otherwise in the database: {to_install(using)}."
        )
    if is_elsewhere(using, models_of(policy)):
        raise LifecycleError(f"{policy.name} is on another table than this connection finds.")
    if known.state in (PolicyState.State.PAUSED, PolicyState.State.HALTED):
        raise LifecycleError(f"{policy.name} is {known.state}: it is read on after it is resumed.")


def reconcile(using: str = DEFAULT_DB_ALIAS) -> list[str]:
    """Mark the tables that were read to the end `LIFECYCLE_RECONCILE_DAYS` ago, and at once those
    that were written to by statements of which the ledger does not know the keys.
    """
    read = [p for p in all_policies() if not (p.on_request or is_partitioned(p))]
    names = [policy.name for policy in read]
    found = _again(names, using, FAILED, timedelta(0))
    if conf.RECONCILE_DAYS:
        found += _again(names, using, RECONCILE, timedelta(days=conf.RECONCILE_DAYS))
    return found


def _again(names: Iterable[str], using: str, why: str, ago: timedelta) -> list[str]:
    params = {"policies": list(names), "why": why, "ago": ago}
    return [name for (name,) in fetch(using, statement(__file__, "backfill_again"), params)]


def waiting(using: str = DEFAULT_DB_ALIAS, hurried: bool = False) -> list[Policy]:
    """The policies of this code whose tables are to be read now; if `hurried`, whatever the pace.

    Not those that are stopped or declared otherwise in the database.
    """
    declared = {policy.name: policy for policy in all_policies()}
    rows = fetch(using, statement(__file__, "backfill_waiting"), {"hurried": hurried})
    known = [(declared[name], stored) for name, stored in rows if name in declared]
    return [policy for policy, stored in known if fingerprint(policy) == stored]


def step(policy: Policy, using: str = DEFAULT_DB_ALIAS, hurried: bool = False) -> Step | None:
    """Read one chunk and list what is missing; None when there is nothing to do, or not now.

    That is: all is read, somebody else reads, a pause, another declaration, or, unless `hurried`,
    not yet time. Waits for no lock longer than 300 ms. A chunk that the server stops is a step of
    no row; the next one has fewer.
    """
    most = most_of(READING, using, policy.name, MOST if is_windowed(policy) else _most())
    try:
        with own_transaction(using):
            return _step(policy, using, hurried, most)
    except DatabaseError as error:
        if sqlstate(error) == LOCK_NOT_AVAILABLE:
            return None  # a pause is being written, or the host alters the table
        take_fewer(error, READING, using, policy.name, most)
        return Step(0, 0, 0, 0.0, finished=False)


def _step(policy: Policy, using: str, hurried: bool, most: int) -> Step | None:
    params = {"policy": policy.name, "hurried": hurried, "fingerprint": fingerprint(policy)}
    fetch(using, statement(__file__, "backfill_prepare"), params)
    if is_elsewhere(using, models_of(policy)):
        return None  # this connection would read another table
    claimed = fetch(using, statement(__file__, "backfill_claim"), params)
    if not claimed:
        return None
    last, why = claimed[0]
    started = time.monotonic()
    horizon = timedelta(days=2 * conf.RECONCILE_DAYS) if why == RECONCILE else None
    if is_windowed(policy):
        found = Found(*list_windows(policy, using, past=False, last=last, most=most))
    else:
        found = Lister(policy, using, horizon).list(last, most)
    took = time.monotonic() - started
    pause = max(found.rows / _pace(policy, using, why), took)
    return _note(policy, using, found, pause, finished=found.rows < most)


def _most() -> int:
    """The rows of one chunk."""
    rate = conf.BACKFILL_RATE
    return min(CHUNK, max(1, int(rate * SECONDS))) if rate else CHUNK


def _pace(policy: Policy, using: str, why: str) -> float:
    """Rows a second; a reconcile pass takes half of the time until the next one, if it may."""
    most = conf.BACKFILL_RATE or float("inf")
    if why != RECONCILE:
        return float(most)
    half = timedelta(days=conf.RECONCILE_DAYS).total_seconds() / 2
    return float(min(most, max(SLOWEST, estimated_rows(policy, using) / max(half, 1))))


def _note(policy: Policy, using: str, found: Found, pause: float, finished: bool) -> Step:
    fetch(using, statement(__file__, "backfill_note"), {
        "policy": policy.name, "last": found.last, "read": found.rows, "listed": found.listed,
        "failed": found.failed, "pause": timedelta(seconds=pause), "finished": finished,
    })  # fmt: skip
    return Step(found.rows, found.listed, found.failed, pause, finished)


def progress(policy: Policy, using: str = DEFAULT_DB_ALIAS) -> Progress | None:
    """How far the backfill of a policy has come; None where its table never had to be read."""
    walk = Backfill.objects.using(using).filter(policy=policy.name).first()
    return _progress(walk, policy, using) if walk else None


def unfinished(using: str = DEFAULT_DB_ALIAS) -> dict[str, Progress]:
    """Of the policies whose tables are not read to the end, how far they have come."""
    declared = {policy.name: policy for policy in all_policies()}
    walks = Backfill.objects.using(using).filter(finished_at=None, policy__in=declared)
    tables = {walk.policy: compiled(declared[walk.policy]).tables[0] for walk in walks}
    rows = estimated_tables([*set(tables.values())], using) if tables else {}
    return {walk.policy: _so_far(walk, rows[tables[walk.policy]]) for walk in walks}


def _progress(walk: Backfill, policy: Policy, using: str) -> Progress:
    rows = 0 if walk.finished_at else estimated_rows(policy, using)
    return _so_far(walk, rows)


def _so_far(walk: Backfill, rows: int) -> Progress:
    done, read = walk.finished_at is not None, walk.read
    about = read if done else max(read, rows)
    percent = 100 if done else min(99, 100 * read // max(about, 1))
    return Progress(walk.why, done, read, about, percent, walk.listed, walk.failed)
