"""What a person may say otherwise, for one time: when rows of a policy end, and what keeps them.

A mistake here deletes people's data before its time. So an override is made of durations, and of
names of conditions that the policy itself declares. It drops no condition that has no name: `when`,
holds, restores, the cap, pauses count as always.
"""

import difflib
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from lifecycle.ages import age_of
from lifecycle.db import Placed, Raw
from lifecycle.dispositions import Update
from lifecycle.errors import LifecycleError
from lifecycle.policy import Policy

from .look import OWN
from .varying import can_vary, varied

if TYPE_CHECKING:
    from collections.abc import Callable

NONE = timedelta(0)
OPTIONS = ("within", "older_than", "grace", "keep")


@dataclass(frozen=True)
class Override:
    """Rows that would end `within` a time end now; without their grace where that is skipped.

    A time below zero takes only rows that ended so long ago. `older_than` is an age inside a longer
    expression, `without` names the conditions of `keep_while` that do not count; None where that is
    as the policy says it. `event` is the ledger's event that says who asked for it; None in a dry
    run. `listed` says that it is on the agenda, for any worker.
    """

    within: timedelta
    skips_grace: bool
    actor: str = ""
    event: int | None = None
    listed: bool = False
    older_than: timedelta | None = None
    without: tuple[str, ...] | None = None

    def applied(self, policy: Policy) -> Policy:
        """The policy as this override has it, but for `within` and the grace."""
        return varied(policy, self.older_than, self.without)

    @property
    def read(self) -> dict[str, Any]:
        """How the look reads a row's end and grace, and what it does with one tombstoned before."""
        due = Placed(f"{OWN['due']} - %(within)s::interval")
        if not self.skips_grace:
            return OWN | {"due": due}
        return {"due": due, "grace": Raw("interval '0'"), "listed": Raw("'purge'")}

    @property
    def acts(self) -> "dict[str, Callable[..., None]]":
        """What is done with each class of rows."""
        from .overriding import ACTS

        return ACTS

    @property
    def detail(self) -> dict[str, Any]:
        """As the ledger writes it, in seconds."""
        said: dict[str, Any] = {"within": seconds(self.within)}
        if self.older_than is not None:
            said["older_than"] = seconds(self.older_than)
        return said | self.kept | ({"grace": 0} if self.skips_grace else {})

    @property
    def kept(self) -> dict[str, Any]:
        """Which conditions keep rows no longer, as the ledger writes it.

        Not those that do: one that is declared or renamed later must count.
        """
        return {} if self.without is None else {"without": list(self.without)}


def override_of(policy: Policy, actor: str, options: dict[str, Any]) -> Override:
    """Check the options of an override; `LifecycleError` for one that cannot be."""
    for name in options.keys() - set(OPTIONS):
        near = difflib.get_close_matches(name, OPTIONS, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
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
    if not isinstance(policy.keep_while, dict):
        raise LifecycleError(
            f"What keeps rows of {policy.name} has no names, so all of it counts:"
            " keep_while={name: condition}."
        )
    if isinstance(options["keep"], str):
        raise LifecycleError("keep must be a list of names.")
    for name in options["keep"]:
        if name not in policy.keep_while:
            known = ", ".join(sorted(policy.keep_while))
            raise LifecycleError(f"Nothing called {name!r} keeps rows of {policy.name}: {known}.")
    return tuple(sorted(policy.keep_while.keys() - set(options["keep"])))


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


def seconds(span: timedelta) -> float | int:
    """A duration in the ledger: whole seconds without a point."""
    total = span.total_seconds()
    return int(total) if total == int(total) else total
