"""What stops a mistake before it is large: caps, states, declarations. See also `clock`."""

import time
from typing import TYPE_CHECKING, Any

from django.db import DEFAULT_DB_ALIAS

from lifecycle.compiler.fingerprint import fingerprint
from lifecycle.db.connection import fetch, set_local, statement
from lifecycle.db.version import mismatch
from lifecycle.ledger.caps import cap_of, is_over, room
from lifecycle.logs import Log
from lifecycle.models import PolicyState
from lifecycle.policy.policy import Policy
from lifecycle.policy.purge_hours import OUTSIDE, is_open
from purge.exceptions import Halt

if TYPE_CHECKING:
    from purge.batch.state import Batch


SAID_AGAIN = 60.0  # seconds between two warnings about one policy's declaration
OUTDATED = (
    "declared differently in the database than in this code: nothing of it ends here; "
    "run migrate, or update this worker"
)

log = Log("purge")
_said: dict[str, float] = {}


def standing(policy: Policy, using: str = DEFAULT_DB_ALIAS, any_hour: bool = False) -> str:
    """Why the policy does nothing now, in a few words; '' when it may act.

    Outside its hours a policy that purges still tombstones.
    """
    if why := mismatch(using):
        return why
    known = policy_now(policy.name, using)
    return why_not(policy, known, any_hour) if known else "not in the database: run migrate"


def policy_now(policy: str, using: str) -> tuple[Any, ...] | None:
    """A policy's row as brakes read it, with the two clocks; None where there is none."""
    known = fetch(using, statement(__file__, "policy_now"), {"policy": policy})
    return known[0] if known else None


def why_not(policy: Policy, known: tuple[Any, ...], any_hour: bool = False) -> str:
    """As `standing`, for a policy's row that was read before."""
    state, stored, now, held, *_ = known
    if state != PolicyState.State.ENABLED:
        return str(state)
    if held:
        return "held"
    if differs(policy, stored):
        return OUTDATED
    waits = not (policy.disposition.hides or any_hour or is_open(policy, now))
    return OUTSIDE if waits else ""


def differs(policy: Policy, stored: str) -> bool:
    """Whether the database has another declaration than this code; the log says so.

    In a rolling deploy the old code must not purge what the new declaration keeps, nor the other
    way round. Said at most once a minute for each policy.
    """
    if stored == fingerprint(policy):
        return False
    if _is_time_to_say(policy.name):
        log("fingerprint", f"{policy.name}: {OUTDATED}", policy=policy.name)
    return True


def _is_time_to_say(what: str) -> bool:
    now = time.monotonic()
    due = now - _said.get(what, -SAID_AGAIN) >= SAID_AGAIN
    if due:
        _said[what] = now
    return due


def is_other_version(using: str) -> bool:
    """Whether code and database are of different versions; the log says so, once a minute."""
    why = mismatch(using)
    if why and _is_time_to_say(f"version of {using}"):
        log("version", why, database=using)
    return bool(why)


def check_cap(policy: Policy, using: str = DEFAULT_DB_ALIAS) -> None:
    """Raise `Halt` when what is due now is more than the cap leaves: before the first row."""
    left = room(policy, using)
    if is_over(policy, left, using):
        raise Halt("cap", f"more than {left} rows are due", left=left, cap=cap_of(policy, using))


def count_against_cap(batch: "Batch") -> None:
    """Count the batch's rows inside its transaction; one too many takes the batch back.

    The last statement of a batch: batches of one policy wait for one another from here to the
    commit, which is short.
    """
    if not batch.outcome.fresh:
        return
    spent, allowed = count(batch)
    if spent > allowed + batch.policy.cap_rows and spent > allowed + cap_of(
        batch.policy, batch.using
    ):
        raise Halt("cap", f"{spent} rows in 24 hours", spent=spent)


def count(batch: "Batch") -> tuple[int, int]:
    """Count the batch's rows against the cap: those of 24 hours, those allowed beyond it."""
    set_local(batch.using, lock_timeout="10s")
    params = {"policy": batch.policy.name, "now": batch.now, "rows": batch.outcome.fresh}
    spent, allowed = fetch(batch.using, batch.sql(__file__, "count_against_cap"), params)[0]
    return int(spent), int(allowed)
