"""One batch of a replay: lock rows that came back, evaluate them in a later statement, end them.

The same discipline as the worker's batch, and the same code where rows go: rows locked in key
order, waits of 300 ms, the lock that a pause and holds on a policy wait for. All within the
caller's transaction.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from django.db import OperationalError, transaction

from lifecycle.compiler.identity import identity_sql, is_whole, retyped
from lifecycle.compiler.keys import label_of, subjects_of
from lifecycle.compiler.policy_sql import compiled
from lifecycle.db.connection import Placed, Raw, fetch, scalar, sqlstate
from lifecycle.ledger.resurrected import identity_now, told_when_written
from lifecycle.policy.policy import Policy
from lifecycle.policy.registry import all_policies, policies_of
from purge.batch import act as rows
from purge.batch import failures
from purge.batch.brakes import PolicyStanding, standing, why_stopped
from purge.batch.evaluate import lock_rows
from purge.batch.run import prepare
from purge.batch.state import Batch
from purge.batch.subjects import Subjects, without_loops
from purge.exceptions import Halt, HeldBelow
from purge.replay.model import Group, Replay

STOPPED = {PolicyStanding.PAUSED, PolicyStanding.HALTED}
TRIES = 10  # of a lock that somebody else has
NO_STATE = """SELECT NULL::{} AS key, false AS matches, false AS keep, NULL::timestamptz AS due
    LIMIT 0"""


class JudgedRow(NamedTuple):
    """A row that was found: its number, its key, the event that ended it, a verdict and why."""

    id: int
    key: Any
    event: int
    verdict: str = ""
    why: str = ""


class Page(NamedTuple):
    """The next rows of a group: their numbers, their keys, the last number or None."""

    ids: list[int]
    subjects: Subjects
    last: int | None


@dataclass(frozen=True)
class GroupReplay:
    """One group of a replay; with `act` its rows are ended again."""

    replay: Replay
    group: Group
    act: bool

    @cached_property
    def deciding_policy(self) -> Policy | None:
        """The policy that ended the rows, as it is declared today."""
        return self.replay.policy_of(self.group.updates or self.group.policy)

    @cached_property
    def own(self) -> Policy | None:
        """That policy, where it is one of the rows' own table."""
        policy = self.deciding_policy
        return policy if policy and label_of(policy) == self.group.model else None

    @cached_property
    def policy(self) -> Policy:
        """A policy of the rows' table, by which they are locked and ended."""
        return self.own or next(p for p in all_policies() if label_of(p) == self.group.model)

    def stopped(self, using: str) -> str:
        """Why nothing ends now. Rows that the site had deleted wait for every policy's pause."""
        if self.deciding_policy:
            return why_stopped(self.deciding_policy, using, any_hour=True)
        found = [standing(each, using) for each in policies_of(self.policy.model)]
        return next((str(each) for each in found if each in STOPPED), "")


@dataclass
class ReplayBatch(Batch):
    """One batch of rows to be ended again, under any policy of their table."""

    task: GroupReplay = field(kw_only=True)
    waits: bool = field(kw_only=True)

    @property
    def ending(self) -> str:
        return self.task.group.kind

    @property
    def by(self) -> str:
        return self.task.group.policy

    @property
    def patient(self) -> bool:
        return self.waits


def begin(task: GroupReplay, waits: bool) -> ReplayBatch:
    """The first statements of a batch; `waits`: for locks that others have on rows."""
    replay, policy = task.replay, task.policy
    for each in policies_of(policy.model):
        _share_lock(each, replay.using)
    now = scalar(replay.using, "SELECT lifecycle.now_v1()")
    code = compiled(policy)
    state_sql = code.state_sql if task.own else NO_STATE.format(code.key.db_type)
    return ReplayBatch(
        policy,
        replay.using,
        replay.run.pk,
        now,
        replay.dry,
        True,
        state_sql,
        task=task,
        waits=waits,
    )


def _share_lock(policy: Policy, using: str) -> None:
    """Share the lock that a pause or a hold on a policy waits for; one may be being written."""
    for attempt in range(TRIES):
        try:
            prepare(policy.name, using)
            return
        except OperationalError:
            if attempt == TRIES - 1:
                raise


def next_page(batch: ReplayBatch, after: int, only: list[int] | None, limit: int) -> Page:
    """The rows after a number, all or `only` some; without any, `ids` is empty."""
    params = {"after": after, "only": only, "limit": limit, "run": batch.run}
    params |= vars(batch.task.group)
    ids, count, keys, last = fetch(batch.using, batch.sql(__file__, "page"), params)[0]
    return Page(ids or [], Subjects(compiled(batch.policy).key, count, keys=keys), last)


def judge(batch: ReplayBatch, page: Page) -> list[JudgedRow]:
    """Lock, evaluate and, with `act`, end rows; those on which that fails are found by halving."""
    before = batch.outcome.copy()
    try:
        with transaction.atomic(using=batch.using):
            judged = _evaluate_rows(batch, page.ids, _lock(batch, page.subjects))
            if batch.task.act:
                _end(batch, [row.key for row in judged if row.verdict == "ended"])
            return judged
    except Exception as error:
        batch.outcome = before
        if not (failures.is_of_one_row(error) or isinstance(error, Halt)):
            raise
        return _halve(batch, page.ids, error)


def _halve(batch: ReplayBatch, ids: list[int], error: Exception) -> list[JudgedRow]:
    if len(ids) == 1:
        return [_refused(batch, ids, error)]
    pages = (next_page(batch, 0, part, len(part)) for part in failures.halves(ids))
    return [row for page in pages for row in judge(batch, page)]


def _lock(batch: ReplayBatch, subjects: Subjects) -> Subjects:
    """Lock the rows in key order; a row that somebody else has is left out."""
    strength = "FOR NO KEY UPDATE" if batch.task.group.updates else "FOR UPDATE"
    for skip in ("", " SKIP LOCKED") if batch.waits else (" SKIP LOCKED",):
        try:
            with transaction.atomic(using=batch.using):
                return lock_rows(batch, subjects, strength + skip)
        except OperationalError as error:
            if not failures.is_contended(error):
                raise
    return subjects.narrowed(0, "{}")


def _evaluate_rows(batch: ReplayBatch, ids: list[int], locked: Subjects) -> list[JudgedRow]:
    task, own, group = batch.task, batch.task.own, batch.task.group
    keys = f"array_agg(lc_found.key::{batch.code.key.kind})"
    parts = {
        "subjects": Placed(subjects_of(batch.code.key, keys)),
        "identity": Raw(identity_now(batch.policy.model, group.names)),
        "told": Raw(_told(batch.policy.model, group)),
        "state_key": Placed(batch.code.key.stored("lc_s.key")),
        "rows": locked.where(batch.column) if locked.count else Placed("false"),
        "state_rows": locked.where("lc_s.key") if locked.count else Placed("false"),
    }  # fmt: skip
    params = batch.params(
        locked, ids=ids, mark=task.replay.mark, updates=bool(group.updates),
        undeclared=bool(group.policy) and task.deciding_policy is None,
        has_expiry=own is not None and group.kind != "deleted",
        stopped=task.stopped(batch.using), on_request=own is not None and own.on_request,
        untold=_untold(batch.policy.model, group.names),
    )  # fmt: skip
    with without_loops(batch.using):
        found = fetch(batch.using, batch.sql(__file__, "evaluate_rows", **parts), params)
    return [JudgedRow(*row) for row in found]


def _told(model: Any, group: Group) -> str:
    """SQL: whether the ledger would know of it, had the site written the row again.

    What the engine has ended had an end, or went along, or went on request; and fields that the
    site declares as an identity are its word that the next row has other ones.
    """
    guessed = group.kind == "deleted" and is_whole(group.names)
    return told_when_written(model, policies_of(model)) if guessed else "true"


def _untold(model: Any, names: str) -> str:
    """Why no identity says that a row is the one that ended."""
    if not names:
        return "no identity"
    if changed := retyped(model, names):
        return f"{' and '.join(changed)} has another type than when it ended"
    if identity_sql(model, names) is None:
        return "a field of its identity is no more"
    if not is_whole(names):
        return "a column of its identity has been altered since it ended"
    return "it is not as it was when it ended"


def _end(batch: ReplayBatch, keys: list[Any]) -> None:
    if keys:
        end = rows.update if batch.task.group.updates else rows.delete
        end(batch, Subjects(compiled(batch.policy).key, 0).written(keys))


def _refused(batch: ReplayBatch, ids: list[int], error: Exception) -> JudgedRow:
    """A row that cannot go: why, in names."""
    text = "SELECT id, key, event FROM purge_resurrected WHERE id = ANY (%(ids)s)"
    row = JudgedRow(*fetch(batch.using, text, {"ids": ids})[0])
    if failures.is_contended(error):
        return row._replace(verdict="locked", why="somebody else has locked it or what goes along")
    if isinstance(error, HeldBelow) or sqlstate(error) == "23001":
        return row._replace(verdict="held", why="what would go along is held")
    why = (str(value) for name, value in failures.reason(error).items() if name != "sqlstate")
    return row._replace(verdict="blocked", why=", ".join(why))
