"""Turning policies on and off; each change is an event with its actor."""

from django.db import DEFAULT_DB_ALIAS, transaction

from .contexts import context
from .db import fetch, scalar, statement
from .errors import LifecycleError
from .models import PolicyState
from .registry import get_policy

State = PolicyState.State


def enable(policy: str, actor: str = "", using: str = DEFAULT_DB_ALIAS) -> None:
    """From `observe`: the policy now ends rows."""
    _change(policy, "policy_changed", State.ENABLED, (State.OBSERVE,), actor, using)


def pause(policy: str, actor: str = "", using: str = DEFAULT_DB_ALIAS) -> None:
    """Stop a policy; waits for the batch under way, after which no other begins."""
    _change(policy, "policy_changed", State.PAUSED, (State.ENABLED,), actor, using)


def resume(policy: str, actor: str = "", allow: int = 0, using: str = DEFAULT_DB_ALIAS) -> None:
    """Go on after a pause or a halt; `allow` lets that many rows go beyond the cap for 24 hours.

    A halted policy wants a name: `LifecycleError` without an actor.
    """
    if allow < 0:
        raise LifecycleError("The rows allowed beyond the cap cannot be less than none.")
    state = PolicyState.objects.using(using).filter(name=policy).first()
    if state and state.state == State.HALTED and not actor:
        raise LifecycleError(f"{policy} was halted by a brake: say who resumes it (--actor).")
    wanted = (State.PAUSED, State.HALTED)
    _change(policy, "resumed", State.ENABLED, wanted, actor, using, allow)


def _change(
    policy: str, kind: str, to: str, wanted: tuple[str, ...], actor: str, using: str, allow: int = 0
) -> None:
    get_policy(policy)
    with transaction.atomic(using=using), context(actor=actor, using=using):
        fetch(using, statement(__file__, "bar_policy"), {"policy": policy})
        known = PolicyState.objects.using(using).filter(name=policy).first()
        if known is None:
            raise LifecycleError(f"{policy} is not in the database yet: run migrate.")
        if known.state not in wanted:
            raise LifecycleError(f"{policy} is {known.state}, not {' or '.join(wanted)}.")
        params = {"policy": policy, "kind": kind, "state": to, "allow": allow}
        fetch(using, statement(__file__, "change_state"), params)


def rebuild(using: str = DEFAULT_DB_ALIAS) -> int:
    """Make agenda and exceptions again from the ledger; returns the number of events read."""
    with transaction.atomic(using=using):
        return int(scalar(using, "SELECT lifecycle.rebuild_v1()"))
