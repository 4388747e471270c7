"""A replay, what it has found, and its report."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

from django.db import DEFAULT_DB_ALIAS

from lifecycle.db.connection import fetch
from lifecycle.exceptions import LifecycleError
from lifecycle.policy.policy import Policy
from lifecycle.policy.registry import all_policies, get_policy
from purge.media.replay import Files
from purge.models import Run

VERDICTS = ("ended", "gone", "newer", "held", "blocked", "unsure")
SHOWN = 1_000  # rows of a report
BEGINNING = datetime(1, 1, 1, tzinfo=UTC)


class Ending(NamedTuple):
    """What a report counts rows by: the kind of event that ended them, and its policy, or ''."""

    model: str
    kind: str
    policy: str


@dataclass(frozen=True)
class Group:
    """Rows of one table of which the same kind of ending is to be repeated.

    `policy` is that of their events, `names` the fields of the events' identities. `updates` names
    the policy where the ending has changed the rows instead of taking them.
    """

    model: str
    kind: str
    policy: str
    names: str
    updates: str

    @property
    def ending(self) -> Ending:
        return Ending(self.model, self.kind, self.policy)


class Emptied(NamedTuple):
    """The last TRUNCATE of a table: which rows it took the ledger does not know."""

    model: str
    event: int
    at: datetime


@dataclass(frozen=True)
class LeftRow:
    """One row that a replay has left, and why."""

    name: str
    event: int
    verdict: str
    why: str


@dataclass
class Report:
    """What became of the rows, by the ending that was to be repeated; `ended`: again."""

    counts: dict[Ending, Counter[str]] = field(default_factory=dict)
    rows: list[LeftRow] = field(default_factory=list)  # the first SHOWN of them
    emptied: list[Emptied] = field(default_factory=list)
    undeclared: dict[str, int] = field(default_factory=dict)  # rows of tables without a policy
    files: Files = field(default_factory=Files)

    def add(self, ending: Ending, verdicts: Counter[str]) -> None:
        self.counts.setdefault(ending, Counter()).update(verdicts)

    def leave(self, row: LeftRow) -> None:
        if len(self.rows) < SHOWN:
            self.rows.append(row)

    def total(self, verdict: str) -> int:
        """Rows of one verdict, of all endings."""
        return sum(counts[verdict] for counts in self.counts.values())


@dataclass(frozen=True)
class Recovered:
    """What a recovery has put back: of which log, the leaves from `kept` to `size`.

    Events above the number `top` were written since the restore. `untouched`: somebody says that no
    row was.
    """

    log: int
    kept: int
    size: int
    top: int
    untouched: bool = False


@dataclass
class Replay:
    """The options of a replay, and what it knows while it lasts.

    `LifecycleError` for a policy that is not declared, and for an `allow` below zero.
    """

    using: str = DEFAULT_DB_ALIAS
    policy: str | None = None
    since: datetime = BEGINNING
    actor: str = ""
    allow: int = 0
    dry: bool = False
    recovered: Recovered | None = None
    progress: Callable[[int], None] = lambda rows: None  # so many more rows are done with
    run: Run = field(init=False)
    found: int = 0  # rows that the plan has kept
    mark: int = 0  # the ledger's latest number when the search began
    absent: dict[Ending, int] = field(default_factory=dict)  # rows that ended and are not there
    undeclared: dict[str, int] = field(default_factory=dict)  # by table: rows that may be back

    def __post_init__(self) -> None:
        if self.allow < 0:
            raise LifecycleError("The rows allowed beyond the cap cannot be less than none.")
        if self.policy:
            get_policy(self.policy)
        self.names = _names(self.using)

    @property
    def wanted(self) -> list[str] | None:
        """Today's and earlier names of the policy that was named; None for all policies."""
        return [old for old, new in self.names.items() if new == self.policy] or None

    def policy_of(self, name: str) -> Policy | None:
        """The policy that an event names, as it is declared today."""
        declared = {policy.name: policy for policy in all_policies()}
        return declared.get(self.names.get(name, name))


def _names(using: str) -> dict[str, str]:
    """Every name that a declared policy has and had, with today's."""
    text = "SELECT lifecycle.names_v1(%(policy)s)"
    rows = ((p.name, fetch(using, text, {"policy": p.name})) for p in all_policies())
    return {old: name for name, found in rows for (old,) in found}
