"""How each policy stands: what its agenda lists, when it acts, and what is wrong with it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import DEFAULT_DB_ALIAS

from lifecycle.backfill.progress import Progress, unfinished
from lifecycle.compiler.fingerprint import fingerprint
from lifecycle.compiler.keys import label_of
from lifecycle.compiler.policy_sql import compiled
from lifecycle.conf import conf
from lifecycle.db.connection import fetch, statement
from lifecycle.db.version import to_install
from lifecycle.hooks import last_runs, slowed, standstills
from lifecycle.insight.causes import CAUSES
from lifecycle.insight.declared import captured_by
from lifecycle.insight.declared import stages as said_of_stages
from lifecycle.insight.partitions import problems as of_partitions
from lifecycle.insight.problems import functions_of, gaps_of, held_deleted_of, problems_of
from lifecycle.insight.standstill import FIRST_TRY, IS_TRIED, failing, stopped
from lifecycle.insight.there import counts_there
from lifecycle.install.reach import Reach
from lifecycle.install.triggers import unrecorded
from lifecycle.ledger.held_deleted import held_deleted
from lifecycle.models import PolicyState
from lifecycle.phrases import phrase
from lifecycle.policy import purge_hours as hours
from lifecycle.policy.capture_modes import Signals
from lifecycle.policy.databases import is_at
from lifecycle.policy.policy import Policy
from lifecycle.policy.registry import all_policies

State = PolicyState.State


@dataclass
class Status:
    """One policy of one database, in rows; by windows where it goes by them; partitions estimated.

    at_most     its counts are the agenda's, which also lists rows that are gone; else they are of
                rows that are in their table
    held        the holds in force on it and on rows of its table; `barred`: one is on all of it;
                `enforced`: they stop the host's own deletes too
    held_deleted  held rows that the host itself has deleted, under holds in force
    lag         how long something due has waited for a worker at most, in seconds; None while the
                policy is outside its purge hours
    opens_at    when the purge hours begin, where the policy is outside them
    backfill    how far the table is read for rows that no trigger has seen; None when it is
    stages      of a policy that is one of several ends of its rows: which, and the others
    slowed      what slows it down at this moment, in words
    last_run    when the last pass began that found something, and the kind of its error
    problems    what is wrong with it, in words
    """

    policy: str
    table: str
    state: str
    scheduled: int = 0
    due: int = 0
    tombstoned: int = 0
    kept: int = 0
    held: int = 0
    blocked: int = 0
    failed: int = 0
    lag: float | None = None
    last_run: datetime | None = None
    last_error: str = ""
    next_due: datetime | None = None
    opens_at: datetime | None = None
    fingerprint: str = ""
    at_most: bool = False
    barred: bool = False
    enforced: bool = False
    held_deleted: int = 0
    backfill: Progress | None = None
    capture: str = ""
    blind_to: tuple[str, ...] = ()
    database: str = DEFAULT_DB_ALIAS
    stages: str = ""
    slowed: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def has_rows(self) -> bool:
        """Whether it says anything about rows of this database."""
        return bool(self.scheduled or self.due or self.tombstoned or self.held)

    @property
    def acts(self) -> bool:
        """Whether the worker may end rows of it, but for its hours and its declaration."""
        return self.state == State.ENABLED and not self.barred


def statuses(
    using: str = DEFAULT_DB_ALIAS, max_lag: float | None = None,
    lines: list[Any] | None = None, shown: Callable[[list[str]], list[str]] = list,
) -> list[Status]:  # fmt: skip
    """Every policy that the database knows or should know, by name.

    A lag of more than `max_lag` seconds (the setting LIFECYCLE_MAX_LAG) is a problem. `lines`: what
    was read of the stored ones by `lifecycle.insight.capped`, and is counted no further. `shown`
    makes of the names of rows those that may be read.
    """
    declared = {policy.name: policy for policy in all_policies()}
    here = {name for name, policy in declared.items() if is_at(policy.model, using)}
    read = _lines(using) if lines is None else lines
    found = {each.policy: each for each in _stored(using, declared, read)}
    for name in here - found.keys():
        found[name] = Status(name, label_of(declared[name]), "", database=using)
    for name in declared.keys() & found.keys() - here:
        if not found[name].has_rows:
            del found[name]  # its rows are in another database, where it is told
    gaps, come, gone = unrecorded(using), unfinished(using), held_deleted(using)
    why, slower = standstills(using), slowed(using)
    reach, broken = Reach(using), functions_of(using)
    for name, each in found.items():
        _describe(each, declared.get(name))
        if name in here and lines is None:
            _count_there(each, declared[name])
        each.backfill, each.slowed = come.get(name), slower.get(name, [])
        most = conf.MAX_LAG if max_lag is None else max_lag
        each.problems += problems_of(each, declared.get(name), most)
        each.problems += gaps_of(declared.get(name), gaps) + why.get(name, []) + broken
        each.problems += held_deleted_of(each, gone, shown)
        each.problems += reach.problems(declared[name]) if name in declared else []
        each.problems += of_partitions(declared[name], using) if name in here else []
    return [found[name] for name in sorted(found)]


def _lines(using: str) -> list[Any]:
    text = statement(__file__, "status", is_tried=IS_TRIED, first_try=FIRST_TRY)
    return fetch(using, text)


def _stored(using: str, declared: dict[str, Policy], lines: list[Any]) -> list[Status]:
    runs = last_runs(using)
    found = []
    for name, table, state, *counts, next_due, since, now, stored, barred, enforced, sql in lines:
        each = Status(name, table, state, *counts)
        each.database, each.next_due = using, next_due
        each.fingerprint, each.barred, each.enforced = stored, barred, enforced
        each.last_run, each.last_error = runs.get(name, (None, ""))
        policy = declared.get(name)
        each.opens_at = hours.opens_at(policy, now) if policy else None
        if waits := waits_since(policy, since, now):
            each.lag = (now - waits).total_seconds()
        each.problems = _standstill(each, policy, since, now, sql)
        found.append(each)
    return found


def waits_since(policy: Policy | None, since: datetime | None, now: datetime) -> datetime | None:
    """Since when something due waits for a worker; None while the policy is outside its hours."""
    if since is None or (policy and hours.opens_at(policy, now)):
        return None
    opened = hours.opened_at(policy, now) if policy else None
    return max(since, opened or since)


def _standstill(
    each: Status, policy: Policy | None, since: datetime | None, now: datetime, stored: str
) -> list[str]:
    """Why nothing of it ends although the worker may well run."""
    if policy is None:
        return []
    found = _stopped(each, now - since) if since else []
    if each.fingerprint == fingerprint(policy) and stored != compiled(policy).state_sql:
        found.append(CAUSES["altered"].problem(each.database))
    if each.state == State.REMOVED:
        found.append(
            phrase(
                "removed in the database, and declared in this code: %(command)s",
                command=to_install(each.database),
            )
        )
    return found + (failing(each.last_error, each.last_run, since) if each.acts else [])


def _stopped(each: Status, waited: timedelta) -> list[str]:
    return stopped(each.state, each.barred, waited, each.policy, each.database)


def _describe(each: Status, policy: Policy | None) -> None:
    if policy is None:
        return
    each.stages = said_of_stages(policy)
    each.capture = captured_by(policy)
    each.blind_to = Signals.blind_to if isinstance(policy.capture, Signals) else ()


def _count_there(each: Status, policy: Policy) -> None:
    """Count only rows that are there, where that is cheap."""
    listed = each.scheduled + each.due + each.tombstoned
    if not listed or each.capture in ("windows", "partitions"):  # in windows, by estimates
        return
    counts = counts_there(policy, listed, each.database)
    each.at_most = counts is None
    for name, count in (counts or {}).items():
        if name != "listed":
            setattr(each, name, count)
