"""What a person may say otherwise, for one time: when rows of a policy end, and what keeps them.

A mistake here deletes people's data before its time. So an override is made of durations, and of
names of conditions that the policy itself declares. It drops no condition that has no name: `when`,
holds, restores, the cap, pauses count as always.
"""

from datetime import timedelta
from typing import Any

from lifecycle.exceptions import LifecycleError, did_you_mean
from lifecycle.policy.dispositions import Update
from lifecycle.policy.fixed_age import age_of
from lifecycle.policy.policy import Policy
from purge.passes.override import NONE, Override, can_vary

OPTIONS = ("within", "older_than", "grace", "keep")


def override_of(policy: Policy, actor: str, options: dict[str, Any]) -> Override:
    """Check the options of an override; `LifecycleError` for one that cannot be."""
    for name in options.keys() - set(OPTIONS):
        hint = did_you_mean(name, OPTIONS)
        raise LifecycleError(f"An override has no option {name!r}: {', '.join(OPTIONS)}.{hint}")
    if policy.on_request:
        raise LifecycleError(f"{policy.name} ends rows only on request: use purge.erase().")
    if not options:
        raise LifecycleError(f"Say what is to be otherwise: {', '.join(OPTIONS)}.")
    for name, value in options.items():
        if name != "keep" and (not isinstance(value, timedelta) or value < NONE):
            raise LifecycleError(f"{name} must be a timedelta of zero or more, not {value!r}.")
    skips = _skips_grace(policy, options)
    within, older_than = _within(policy, options)
    within += _grace_in_due(policy) if skips else NONE
    return Override(within, skips, actor, older_than=older_than, without=_without(policy, options))


def _within(policy: Policy, options: dict[str, Any]) -> tuple[timedelta, timedelta | None]:
    """By how much ends come sooner, and the age where that is inside of a longer expression."""
    if "older_than" not in options:
        return options.get("within", NONE), None
    if "within" in options:
        raise LifecycleError("within and older_than say the same: give one of them.")
    aged, older_than = age_of(policy.expires), options["older_than"]
    if aged and aged[1]:
        return aged[1] - older_than, None
    if can_vary(policy.expires):
        return NONE, older_than
    raise LifecycleError(
        f"{policy.name} does not end rows at an age (a column plus a timedelta): use within=."
    )


def _without(policy: Policy, options: dict[str, Any]) -> tuple[str, ...] | None:
    if "keep" not in options:
        return None
    if not policy.conditions:
        raise LifecycleError(
            f"What keeps rows of {policy.name} has no names, so all of it counts:"
            " keep_while={name: condition}."
        )
    if isinstance(options["keep"], str):
        raise LifecycleError("keep must be a list of names.")
    for name in options["keep"]:
        if name not in policy.conditions:
            known = ", ".join(sorted(policy.conditions))
            raise LifecycleError(f"Nothing called {name!r} keeps rows of {policy.name}: {known}.")
    return tuple(sorted(policy.conditions.keys() - set(options["keep"])))


def _skips_grace(policy: Policy, options: dict[str, Any]) -> bool:
    grace = options.get("grace")
    if grace is None:
        return policy.grace == NONE
    if grace == NONE:
        return True
    own = policy.grace
    if isinstance(own, timedelta) and grace > own:
        raise LifecycleError(
            f"grace={grace} is longer than {own}, that of {policy.name}: an override can only end"
            " rows sooner."
        )
    raise LifecycleError("grace must be left out (the policy's own), or timedelta(0).")


def _grace_in_due(policy: Policy) -> timedelta:
    """An `Update` acts after its grace, which is part of its due time."""
    if not isinstance(policy.disposition, Update):
        return NONE
    if not isinstance(policy.grace, timedelta):
        raise LifecycleError(f"The grace of {policy.name} is an expression: it cannot be skipped.")
    return policy.grace
