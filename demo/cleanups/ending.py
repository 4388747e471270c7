"""Have the engine end the rows of one policy, and find what became of each."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import purge
from demo.facts import clock
from demo.facts import run as run_sql
from lifecycle import live, tombstoned
from lifecycle.compiler.keys import label_of
from lifecycle.exceptions import LifecycleError
from lifecycle.models import RowException
from lifecycle.policy.policy import Policy
from lifecycle.policy.registry import get_policy
from purge.batch.brakes import why_stopped
from purge.batch.outcome import Outcome
from purge.passes.options import PassOptions
from purge.runner import run_policy

NO_GRACE = {"grace": timedelta(0)}


@dataclass(frozen=True)
class Mode:
    """Who runs a clean-up, whether it is taken back, and whether the graces are skipped."""

    actor: str
    dry_run: bool = False
    purge_now: bool = False


@dataclass
class Ended:
    """What became of the rows that were found; in a dry run `outcome` counts what would.

    `listed` rows are on the agenda as tombstoned, the first is `due` to be purged then. `stays`
    says of each row that is neither gone nor tombstoned what keeps it.
    """

    count: int
    rows: list[Any]
    mode: Mode
    outcome: Outcome
    gone: list[Any] = field(default_factory=list)
    tombstones: list[Any] = field(default_factory=list)
    listed: int = 0
    due: datetime | None = None
    stays: dict[Any, str] = field(default_factory=dict)

    @property
    def done(self) -> int:
        """How many rows are gone, or were updated."""
        counts = self.outcome.purged + self.outcome.updated
        return len(self.gone) if self.rows else counts

    @property
    def tombstoned(self) -> int:
        """How many rows are tombstoned, by whoever it was."""
        return len(self.tombstones) if self.rows else self.outcome.tombstoned


def end(name: str, mode: Mode, override: dict[str, Any], count: int, rows: list[Any]) -> Ended:
    """End the rows of a policy, as it says or as `override` does; never inside a transaction.

    `rows` are those of which something is to be said, of `count` altogether.

    `LifecycleError` where the policy may not act, or where a brake stops it.
    """
    policy = get_policy(name)
    ended = Ended(count, rows, mode, _run(policy, mode, override))
    if ended.outcome.stopped:
        raise LifecycleError(f"{name} is {ended.outcome.stopped}")
    if rows:
        _look(policy, ended)
    keys = [str(row.pk) for row in ended.tombstones] if rows else None
    ended.listed, ended.due = run_sql(__file__, "purge_due", policy=name, keys=keys)[0]
    return ended


def _run(policy: Policy, mode: Mode, override: dict[str, Any]) -> Outcome:
    if why := why_stopped(policy, any_hour=mode.purge_now):
        raise LifecycleError(f"{policy.name} ends nothing: it is {why}.")
    override = override | (NO_GRACE if mode.purge_now else {})
    if override:
        return purge.run(policy.name, actor=mode.actor, dry_run=mode.dry_run, **override)
    return run_policy(policy, PassOptions("command", actor=mode.actor, dry=mode.dry_run))


def _look(policy: Policy, ended: Ended) -> None:
    """What is there now of the rows that were found; by the ledger and by their columns."""
    rows = policy.model._base_manager.filter(pk__in=[row.pk for row in ended.rows])
    there = set(rows.values_list("pk", flat=True))
    tombstones = set(tombstoned(rows).values_list("pk", flat=True))
    ended.gone = [row for row in ended.rows if row.pk not in there]
    if not policy.disposition.hides:
        due = set(live(rows).filter(policy.when).values_list("pk", flat=True))
        ended.gone = [row for row in ended.rows if row.pk not in due]
    ended.tombstones = [row for row in ended.rows if row.pk in tombstones]
    why = _why(policy)
    settled = {row.pk for row in (*ended.gone, *ended.tombstones)}
    for row in ended.rows:
        if row.pk not in settled:
            ended.stays[row] = why.get(str(row.pk)) or why.get("") or ""


def _why(policy: Policy) -> dict[str, str]:
    """Key -> what keeps the row, by a person's will; '' is the whole table, or the policy."""
    known = RowException.objects.filter(model=label_of(policy)).exclude(until__lte=clock())
    restored = known.filter(kind="restored", policy=policy.name)
    reasons = {each.key: "restored" for each in restored}
    return reasons | {each.key: "held" for each in known.filter(kind="hold")}
