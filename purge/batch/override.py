"""Override."""

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from lifecycle.db.connection import Placed, Raw
from lifecycle.policy.policy import Policy
from purge.batch.expressions import OWN
from purge.batch.variation import varied

if TYPE_CHECKING:
    pass


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
    def read(self) -> dict[str, Any]:
        """How the look reads a row's end and grace, and what it does with one tombstoned before."""
        due = Placed(f"{OWN['due']} - %(within)s::interval")
        if not self.skips_grace:
            return OWN | {"due": due}
        return {"due": due, "grace": Raw("interval '0'"), "listed": Raw("'purge'")}

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


def seconds(span: timedelta) -> float | int:
    """A duration in the ledger: whole seconds without a point."""
    total = span.total_seconds()
    return int(total) if total == int(total) else total
