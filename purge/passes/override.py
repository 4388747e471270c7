"""A one-time override: what a person has asked for, and the policy as it is with that."""

from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from typing import Any

from django.db.models.functions import Least

from lifecycle.db.connection import Placed, Raw
from lifecycle.policy.fixed_age import age_of
from lifecycle.policy.policy import Policy
from purge.batch.evaluate import NO_GRACE, OWN, UNNAMED

NONE = timedelta(0)


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
    def expressions(self) -> dict[str, Any]:
        """How rows are read, and that one tombstoned before goes where the grace is skipped."""
        due = Placed(f"{OWN['due']} - %(within)s::interval")
        skipping = {"grace": NO_GRACE, "listed": Raw("'purge'")} if self.skips_grace else {}
        return OWN | UNNAMED | {"due": due} | skipping

    @property
    def detail(self) -> dict[str, Any]:
        """As the ledger writes it, in seconds."""
        detail: dict[str, Any] = {"within": seconds(self.within)}
        if self.older_than is not None:
            detail["older_than"] = seconds(self.older_than)
        return detail | self.dropped | ({"grace": 0} if self.skips_grace else {})

    @property
    def dropped(self) -> dict[str, Any]:
        """Which conditions keep rows no longer, as the ledger writes it.

        Not those that do: one that is declared or renamed later must count.
        """
        return {} if self.without is None else {"without": list(self.without)}


def seconds(span: timedelta) -> float | int:
    """A duration in the ledger: whole seconds without a point."""
    total = span.total_seconds()
    return int(total) if total == int(total) else total


@cache
def varied(policy: Policy, older_than: timedelta | None, without: tuple[str, ...] | None) -> Policy:
    """The policy with another age, or kept by fewer of its conditions.

    It is never registered: only its SQL is used.
    """
    changes: dict[str, Any] = {}
    if older_than is not None:
        changes["expires"] = _with_age(policy.expires, older_than)
    if without is not None:
        kept = {name: each for name, each in policy.conditions.items() if name not in without}
        changes["keep_while"] = kept or None
    if not changes:
        return policy
    return replace(policy, **changes)


def can_vary(expires: Any) -> bool:
    """Whether one, and only one, of the ends of which the first counts is an age."""
    return isinstance(expires, Least) and len(_ages(expires)) == 1


def _ages(expires: Least) -> list[int]:
    """Which of its ends are a column plus a timedelta, by their place."""
    ages = [age_of(end) for end in expires.get_source_expressions()]
    return [place for place, aged in enumerate(ages) if aged and aged[1]]


def _with_age(expires: Any, age: timedelta) -> Least:
    ends: list[Any] = list(expires.get_source_expressions())
    (place,) = _ages(expires)
    ends[place] = ends[place].lhs + age
    return Least(*ends)
