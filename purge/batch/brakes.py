"""What stops a mistake before it is large: a policy's state and declaration, and its cap."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from django.db import DEFAULT_DB_ALIAS, DatabaseError
from django.db.models import Model

from lifecycle.compiler.fingerprint import fingerprint
from lifecycle.compiler.policy_sql import compiled
from lifecycle.compiler.row_tables import models_of
from lifecycle.compiler.shared_keys import shared_keys
from lifecycle.compiler.tables_read import models_beside
from lifecycle.db.connection import Query, fetch, hides_rows, statement
from lifecycle.db.policy_lock import holders
from lifecycle.db.tables import quoted, stands_in
from lifecycle.db.version import mismatch
from lifecycle.ledger.caps import cap_of, room_and_over
from lifecycle.logs import Log
from lifecycle.models import PolicyState
from lifecycle.policy.policy import Policy
from lifecycle.policy.purge_hours import OUTSIDE, is_open
from purge.batch.archived import is_archived
from purge.batch.counted_caps import is_within_cap
from purge.batch.standing_words import (
    ALTERED,
    ELSEWHERE,
    OTHER_VERSION,
    OUTDATED,
    UNKNOWN,
    UNPROVED,
    in_words,
)
from purge.batch.state import Batch
from purge.exceptions import Halt
from purge.proof.gate import why_closed

State = PolicyState.State
WARNED_AGAIN = 60.0  # seconds between two warnings about one policy's declaration
LONG_WAIT = Query("SET LOCAL lock_timeout = '10s'")  # for the row of the policy, at the end
LOCKED_LONG = 60.0  # seconds without the policy's lock after which the log says so

log = Log("purge")
_warned: dict[str, float] = {}
_locked: dict[tuple[str, str], float] = {}  # (database, policy) -> since when no batch could begin


class PolicyStanding(StrEnum):
    """Whether a policy may act now; the value says in words why not, and is empty where it may."""

    ACTS = ""
    OBSERVES = State.OBSERVE.value
    PAUSED = State.PAUSED.value
    HALTED = State.HALTED.value
    REMOVED = State.REMOVED.value
    HELD = "held"
    OUTDATED = OUTDATED
    ALTERED = ALTERED
    ELSEWHERE = ELSEWHERE
    OUTSIDE_HOURS = OUTSIDE
    UNKNOWN = UNKNOWN
    OTHER_VERSION = OTHER_VERSION
    UNPROVED = UNPROVED


class PolicyNow(NamedTuple):
    """A policy's row as brakes read it, with the package's clock and the server's own."""

    state: str
    fingerprint: str
    now: datetime
    held: bool
    state_sql: str
    clock: datetime
    elsewhere: bool


def standing(
    policy: Policy, using: str = DEFAULT_DB_ALIAS, any_hour: bool = False
) -> PolicyStanding:
    """Whether the policy may act now. Outside its hours a policy that purges still tombstones."""
    if mismatch(using):
        return PolicyStanding.OTHER_VERSION
    if why_closed(using, files=is_archived(policy)):
        return PolicyStanding.UNPROVED
    known = policy_now(policy, using)
    if known and stands_in(using, models_beside(policy)):
        known = known._replace(elsewhere=True)
    return standing_of(policy, known, any_hour) if known else PolicyStanding.UNKNOWN


def why_stopped(policy: Policy, using: str = DEFAULT_DB_ALIAS, any_hour: bool = False) -> str:
    """Why the policy does nothing now, in words for people; '' where it may act."""
    found = standing(policy, using, any_hour)
    told = ""
    if found is PolicyStanding.OTHER_VERSION:
        told = mismatch(using)
    elif found is PolicyStanding.UNPROVED:
        told = why_closed(using, files=is_archived(policy))
    return told or in_words(found.value, using)


def standing_of(policy: Policy, known: PolicyNow, any_hour: bool = False) -> PolicyStanding:
    """As `standing`, for a policy's row that was read before."""
    if known.state != State.ENABLED:
        return PolicyStanding(known.state)
    if known.elsewhere:
        if _warns(f"table of {policy.name}"):
            log("elsewhere", f"{policy.name}: {ELSEWHERE}", policy=policy.name)
        return PolicyStanding.ELSEWHERE
    if known.held:
        return PolicyStanding.HELD
    if differs(policy, known.fingerprint):
        return PolicyStanding.OUTDATED
    if is_altered(policy, known.state_sql):
        return PolicyStanding.ALTERED
    acts = policy.disposition.hides or any_hour or is_open(policy, known.now)
    return PolicyStanding.ACTS if acts else PolicyStanding.OUTSIDE_HOURS


def policy_now(policy: Policy, using: str) -> PolicyNow | None:
    """A policy's row; None where there is none."""
    rows = fetch(using, *ask_policy(policy, using))
    return PolicyNow(*rows[0]) if rows else None


def ask_policy(policy: Policy, using: str) -> Query:
    """The question for a policy's row."""
    params = {"policy": policy.name, "tables": quoted(using, models_of(policy))}
    return Query(statement(__file__, "policy_now"), params)


def differs(policy: Policy, stored: str) -> bool:
    """Whether the database has another declaration than this code; the log warns of it.

    In a rolling deploy the old code must not purge what the new declaration keeps, nor the other
    way round. Warns at most once a minute for each policy.
    """
    if stored == fingerprint(policy):
        return False
    if _warns(policy.name):
        log("fingerprint", f"{policy.name}: {OUTDATED}", policy=policy.name)
    return True


def is_altered(policy: Policy, stored: str) -> bool:
    """Whether the database has other SQL than this code compiles; the log warns of it.

    What is stored is never run: whoever may write it would have the worker run what they like.
    Warns at most once a minute for each policy.
    """
    if stored == compiled(policy).state_sql:
        return False
    if _warns(policy.name):
        log("fingerprint", f"{policy.name}: {ALTERED}", policy=policy.name)
    return True


def is_other_version(using: str) -> bool:
    """Whether code and database are of different versions; the log warns of it, once a minute."""
    why = mismatch(using)
    if why and _warns(f"version of {using}"):
        log("version", why, database=using)
    return bool(why)


def warn_of_lock(policy: str, using: str) -> None:
    """Say who has the policy's lock, once it has kept batches from beginning for a minute."""
    since = _locked.setdefault((using, policy), time.monotonic())
    if time.monotonic() - since >= LOCKED_LONG and _warns(f"lock of {policy} in {using}"):
        who = "; ".join(map(str, holders(using))) or "nobody now"
        text = f"{policy}: nothing of it ends, for its lock is taken. Who has locks now: {who}"
        log("lock_taken", text, policy=policy, database=using)


def forget_lock(policy: str, using: str) -> None:
    """A batch of the policy has begun."""
    _locked.pop((using, policy), None)


def _warns(what: str) -> bool:
    """Whether it is time for a warning; then the next is due in a minute."""
    now = time.monotonic()
    due = now - _warned.get(what, -WARNED_AGAIN) >= WARNED_AGAIN
    if due:
        _warned[what] = now
    return due


def check_cap(policy: Policy, using: str = DEFAULT_DB_ALIAS) -> None:
    """Raise `Halt` when what is due now is more than the cap leaves: before the first row."""
    left, over = room_and_over(policy, using)
    if over:
        cap = cap_of(policy, using, counted=True)
        raise Halt("cap", f"more than {left} rows are due", left=left, cap=cap)


@contextmanager
def halting_where_rows_are_hidden() -> Iterator[None]:
    """Raise `Halt` where row level security would have hidden rows from this role.

    Around a transaction in which that is an error (`own_transaction`); nothing of it is left.
    """
    try:
        yield
    except DatabaseError as error:
        if not hides_rows(error):
            raise
        reason = str(error).splitlines()[0]
        text = f"{reason}: the worker's role needs BYPASSRLS"
        raise Halt("row_security", text) from error


def ask_shared_keys(batch: Batch, models: Iterable[type[Model]] = ()) -> Query:
    """The question for `refuse_shared_keys`: of the policy's tables, and of others.

    Asked once our lock, DELETE or UPDATE has its lock on the tables, so that no index goes between
    then and the commit.
    """
    own: Any = batch.policy.model._meta.concrete_model
    return shared_keys(batch.using, {own, *own._meta.get_parent_list(), *models})


def refuse_shared_keys(found: list[tuple[Any, ...]]) -> None:
    """Raise `Halt` where rows of those tables may share a key: several would pass for one."""
    if shared := ", ".join(name for (name,) in found):
        raise Halt("shared_key", f"the key is not unique in the database: {shared}")


def counting(batch: Batch) -> list[Query]:
    """What counts the batch's rows against the cap, inside its transaction, for `refuse_too_many`.

    The last statement of a batch: batches of one policy wait for one another from there to the
    commit, which is short.
    """
    params = {"policy": batch.policy.name, "now": batch.now, "rows": batch.outcome.fresh}
    return [LONG_WAIT, Query(batch.sql(__file__, "count_against_cap"), params)]


def refuse_too_many(batch: Batch, rows: list[tuple[Any, ...]]) -> None:
    """Raise `Halt`, which takes the batch back, where its rows are over the cap."""
    ((spent, allowed),) = rows
    if not is_within_cap(batch, spent - allowed):
        raise Halt("cap", f"{spent} rows in 24 hours", spent=spent)
