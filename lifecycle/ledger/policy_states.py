"""Turning policies on and off; each change is an event with its actor.

Without `using` the change is made where the policy's rows are written.
"""

import time
from typing import NamedTuple

from django.db import DEFAULT_DB_ALIAS, transaction

from lifecycle import hooks
from lifecycle.db.connection import fetch, scalar, statement
from lifecycle.db.policy_lock import POLICIES, named_holders, take_lock
from lifecycle.db.progress import Tell, telling
from lifecycle.db.version import to_install
from lifecycle.exceptions import Busy, LifecycleError
from lifecycle.ledger.context import context
from lifecycle.logs import Log
from lifecycle.models import PolicyState
from lifecycle.phrases import any_of, phrase, word
from lifecycle.policy.databases import of_policy
from lifecycle.policy.registry import get_policy

PATIENCE = 5.0  # seconds that a pause waits for the batches under way
State = PolicyState.State
log = Log("lifecycle")
WHY_LEFT = {
    State.OBSERVE: "only observes",
    State.PAUSED: "is paused already",
    State.ENABLED: "is enabled",
    State.HALTED: "was halted by a brake: look at it and name it to resume it",
    State.REMOVED: "is no longer declared",
}


class Change(NamedTuple):
    """What `pause`, `resume` or `disable` makes of a policy, and from which states.

    `alone`: of these only where the policy is named, not with all others.
    """

    kind: str
    to: str
    wanted: tuple[str, ...]
    alone: tuple[str, ...] = ()


ENABLE = Change("policy_changed", State.ENABLED, (State.OBSERVE,))
PAUSE = Change("policy_changed", State.PAUSED, (State.ENABLED,))
RESUME = Change("resumed", State.ENABLED, (State.PAUSED, State.HALTED), (State.HALTED,))
DISABLE = Change(
    "policy_changed", State.OBSERVE, (State.ENABLED, State.PAUSED, State.HALTED), (State.HALTED,)
)


def enable(policy: str, actor: str = "", using: str | None = None) -> None:
    """From `observe`: the policy now ends rows."""
    _change(policy, ENABLE, actor, using)


def disable(policy: str, actor: str = "", using: str | None = None) -> str:
    """Back to `observe`: the policy records, and ends nothing; waits as `pause`, and returns as it.

    What is tombstoned stays so, and its grace passes: once enabled again, its rows go.
    """
    return _change(policy, DISABLE, actor, using)


def pause(policy: str, actor: str = "", using: str | None = None) -> str:
    """Stop a policy; waits for the batch under way, after which no other begins.

    After 5 seconds it is stopped all the same: what is under way then, at most one batch a worker,
    may still end. Returns who may have the lock then, else ''. `Busy` names who keeps the policy's
    own row locked.
    """
    return _change(policy, PAUSE, actor, using)


def resume(policy: str, actor: str = "", allow: int = 0, using: str | None = None) -> None:
    """Go on after a pause or a halt; `allow` lets that many rows go beyond the cap for 24 hours.

    A halted policy wants a name: `LifecycleError` without an actor.
    """
    if allow < 0:
        raise LifecycleError(phrase("The rows allowed beyond the cap cannot be less than none."))
    if is_halted(policy, using) and not actor:
        raise LifecycleError(
            phrase("%(policy)s was halted by a brake: say who resumes it (--actor).", policy=policy)
        )
    _change(policy, RESUME, actor, using, allow)


def is_halted(policy: str, using: str | None = None) -> bool:
    """Whether a brake has stopped the policy."""
    using = using or of_policy(policy)
    return PolicyState.objects.using(using).filter(name=policy, state=State.HALTED).exists()


def change_all(
    change: Change, actor: str = "", using: str = DEFAULT_DB_ALIAS
) -> tuple[list[str], dict[str, str], list[str]]:
    """`PAUSE`, `RESUME` or `DISABLE` every policy that the database knows, or none after an error.

    Returns the names of those changed, why the others were left, and who may have locks that did
    not come: it waits for the batches under way of all of them, 5 seconds in all. Halted policies
    are left: those are looked at one by one. While some are paused and none is enabled, no media
    go, and a policy that `migrate` brings begins paused too.
    """
    with transaction.atomic(using=using), context(actor=actor, using=using):
        known = PolicyState.objects.using(using).order_by("name")
        # The media's, which have no name, then each in the order of the names, as every path does.
        until = time.monotonic() + PATIENCE
        names = ["", *known.values_list("name", flat=True)]
        busy = [who for name in names if (who := _let_batches_end(name, using, until))]
        with named_holders(phrase("The table of policies"), POLICIES, using, PATIENCE):
            states = _locked(using)
        wanted = set(change.wanted) - set(change.alone)
        changed = [name for name, state in states.items() if state in wanted]
        for name in changed:
            _write(name, change, using)
    left = {name: WHY_LEFT[State(states[name])] for name in states if name not in changed}
    return changed, left, busy


def _change(policy: str, change: Change, actor: str, using: str | None, allow: int = 0) -> str:
    using = using or of_policy(policy)
    with transaction.atomic(using=using), context(actor=actor, using=using):
        busy = _let_batches_end(policy, using, time.monotonic() + PATIENCE)
        # A brake waits for the row only, and then halts what is still enabled.
        with named_holders(
            phrase("The row of %(policy)s", policy=policy), POLICIES, using, PATIENCE
        ):
            state = _locked(using, policy).get(policy)
        if state is None:
            get_policy(policy)
            raise LifecycleError(
                phrase(
                    "%(policy)s is not in the database yet: %(command)s.",
                    policy=policy,
                    command=to_install(using),
                )
            )
        if state not in change.wanted:
            wanted = any_of([word(each) for each in change.wanted])
            raise LifecycleError(
                phrase(
                    "%(policy)s is %(state)s, not %(wanted)s.",
                    policy=policy,
                    state=word(state),
                    wanted=wanted,
                )
            )
        _write(policy, change, using, allow)
    return busy


def _locked(using: str, policy: str | None = None) -> dict[str, str]:
    """The states of one policy or of all by name, locked to the end of the transaction."""
    return dict(fetch(using, statement(__file__, "lock_policies"), {"policy": policy}))


def wait_for_batches(policy: str, using: str) -> None:
    """Wait for the batches of a policy that are under way; they share this lock.

    Held to the end of the transaction: no batch of the policy begins meanwhile. `Busy`, with who
    has the lock, where they do not end within half a minute.
    """
    take_lock(policy, using)


def _let_batches_end(policy: str, using: str, until: float) -> str:
    """Wait for the batches under way, but not longer: a pause is never kept from being written.

    A batch that is still under way then may end, at most one a worker. Returns who may have the
    lock, '' where it came.
    """
    try:
        take_lock(policy, using, max(until - time.monotonic(), 0.05))
    except Busy as busy:
        log(
            "busy",
            f"{busy} Its state is changed without.",
            policy=policy,
            database=using,
        )
        return str(busy)
    return ""


def _write(policy: str, change: Change, using: str, allow: int = 0) -> None:
    if change in (PAUSE, RESUME) and not allow:
        params = {"policy": policy, "kind": change.kind, "state": change.to}
        fetch(using, statement(__file__, "steer"), params)
    else:
        write_state(policy, change.kind, change.to, using, allow)


def write_state(policy: str, kind: str, state: str, using: str, allow: int = 0) -> None:
    """A policy's new state, by an event; `allow` is how many rows may end beyond the cap."""
    params = {"policy": policy, "kind": kind, "state": state, "allow": allow}
    fetch(using, statement(__file__, "change_state"), params)


def rebuild(using: str = DEFAULT_DB_ALIAS, tell: Tell | None = None) -> int:
    """Make agenda, exceptions and requests again from the ledger; returns the number of events.

    One transaction, which keeps every other session from writing to the ledger. `tell` is called
    with the number of the event that has been reached, and the last one's.
    """
    with transaction.atomic(using=using), telling(using, tell):
        count = int(scalar(using, "SELECT lifecycle.rebuild_v1()"))
        hooks.rebuild(using)
        return count
