"""A batch of a replay: lock rows that came back, look in a later statement, end them again.

The same discipline as the worker's batch, and the same code where rows go: short transactions, rows
locked in key order, waits of 300 ms, the lock that pause and holds on a policy wait for.
"""

import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from django.db import OperationalError, transaction

from lifecycle.compiler.keys import label_of
from lifecycle.compiler.policy_sql import compiled
from lifecycle.db.connection import Placed, Raw, fetch, own_transaction, scalar
from lifecycle.ledger.resurrected import identity_now
from lifecycle.ledger.row_names import row_name
from lifecycle.policy.registry import all_policies, policies_of
from purge.batch import act as rows
from purge.batch import failures
from purge.batch.brakes import PolicyStanding, standing, why_stopped
from purge.batch.run import count_in_run, prepare
from purge.batch.subjects import Subjects, without_loops
from purge.exceptions import Halt
from purge.replay.batch import Group, Judged, ReplayBatch, as_replay, lock, refused
from purge.replay.search import groups_of

if TYPE_CHECKING:
    from purge.replay.model import Replay, Report


SIZES = (100, 10_000)  # rows of a batch: least and most
BARRED = {PolicyStanding.PAUSED, PolicyStanding.HALTED}
SLOW = 0.5  # seconds; PostgreSQL looks for deadlocks after 1
PATIENCE = 10  # times that a row or a policy which is locked is tried again
NO_STATE = """SELECT NULL::{} AS key, false AS matches, false AS keep, NULL::timestamptz AS due
    LIMIT 0"""


def settle_all(replay: "Replay", report: "Report", act: bool) -> None:
    """Judge what was found and, with `act`, end again what is to be ended."""
    groups = groups_of(replay)
    for *group, _ in groups:
        _Settling(replay, report, Group(*group), act).run()


class _Settling:
    """One group, batch by batch, then those rows once more that somebody had locked."""

    def __init__(self, replay: "Replay", report: "Report", group: Group, act: bool) -> None:
        self.replay, self.report, self.group, self.act = replay, report, group, act
        self.deciding_policy = replay.policy_of(group.updates or group.by)
        self.own = (
            self.deciding_policy
            if self.deciding_policy and label_of(self.deciding_policy) == group.model
            else None
        )
        self.policy = self.own or next(p for p in all_policies() if label_of(p) == group.model)
        self.size = SIZES[0] * 10

    def run(self) -> None:
        locked = self._pages(None, waits=False)
        for _ in range(PATIENCE if self.act else 1):
            if not locked:
                return
            locked = self._pages(locked, waits=True)
        self._tell([(*each[:3], "blocked", each[4]) for each in locked])

    def _pages(self, only: list[Judged] | None, waits: bool) -> list[Judged]:
        """All rows, or only these; returns those that are locked."""
        after: int | None = 0
        locked: list[Judged] = []
        ids = None if only is None else [each[0] for each in only]
        while after is not None:
            started = time.monotonic()
            after, judged = self._batch(after, ids, waits)
            locked += [each for each in judged if each[3] == "locked"]
            self._tell([each for each in judged if each[3] != "locked"])
            self._resize(time.monotonic() - started)
        return locked

    def _resize(self, took: float) -> None:
        if took > SLOW:
            self.size = max(self.size // 2, SIZES[0])
        elif took < SLOW / 5:
            self.size = min(self.size * 2, SIZES[1])

    def _tell(self, judged: list[Judged]) -> None:
        from purge.replay.model import Row

        by = (self.group.model, self.group.kind, self.group.by)
        self.report.add(by, Counter(verdict for *_, verdict, _ in judged))
        self.replay.told(len(judged))
        for _, key, event, verdict, why in judged:
            if verdict not in ("ended", "gone"):
                name = row_name(self.policy.model, key)
                self.report.leave(Row(name, event, verdict, why))

    def _batch(
        self, after: int, only: list[int] | None, waits: bool
    ) -> tuple[int | None, list[Judged]]:
        """One short transaction; the number of its last row, None when there was none."""
        using = self.replay.using
        with own_transaction(using):
            with as_replay(self.replay):
                done = self._settle(after, only, waits)
            if self.replay.dry or not self.act:
                transaction.set_rollback(True, using=using)
        return done

    def _settle(
        self, after: int, only: list[int] | None, waits: bool
    ) -> tuple[int | None, list[Judged]]:
        self._bar()
        batch = self._prepare(waits)
        ids, subjects, last = self._page(batch, after, only, self.size)
        if not ids:
            return None, []
        judged = self._judge(batch, ids, subjects)
        count_in_run(batch.using, self.replay.run.pk, batch.now, batch.outcome)
        return last, judged

    def _page(
        self, batch: ReplayBatch, after: int, only: list[int] | None, limit: int
    ) -> tuple[list[int], Subjects, int]:
        page = {"after": after, "only": only, "limit": limit, "run": self.replay.run.pk}
        page |= vars(self.group) | {"ending": self.group.kind}
        ids, count, keys, last = fetch(batch.using, batch.sql(__file__, "replay_page"), page)[0]
        return ids or [], Subjects(compiled(self.policy).key, count, keys=keys), last

    def _bar(self) -> None:
        """Share the lock that a pause or a hold on any policy of the table waits for."""
        for policy in policies_of(self.policy.model):
            for attempt in range(PATIENCE):
                try:
                    with transaction.atomic(using=self.replay.using):
                        prepare(policy.name, self.replay.using)
                    break
                except OperationalError:
                    if attempt == PATIENCE - 1:
                        raise

    def _prepare(self, waits: bool) -> ReplayBatch:
        now = scalar(self.replay.using, "SELECT lifecycle.now_v1()")
        code = compiled(self.policy)
        state = code.state_sql if self.own else NO_STATE.format(code.key.db_type)
        return ReplayBatch(
            self.policy, self.replay.using, self.replay.run.pk, now, self.replay.dry, True, state,
            group=self.group, waits=waits,
        )  # fmt: skip

    def _judge(self, batch: ReplayBatch, ids: list[int], subjects: Subjects) -> list[Judged]:
        """Lock, look and act; rows on which that fails are found by halving."""
        before = batch.outcome.copy()
        try:
            with transaction.atomic(using=batch.using):
                locked = lock(batch, subjects)
                judged = self._look(batch, ids, locked)
                if self.act:
                    self._end(
                        batch, [key for _, key, _, verdict, _ in judged if verdict == "ended"]
                    )
                return judged
        except Exception as error:
            batch.outcome = before
            if not (failures.is_of_one_row(error) or isinstance(error, Halt)):
                raise
            if len(ids) > 1:
                return self._halve(batch, ids)
            return [refused(self._key(batch, ids), error)]

    def _halve(self, batch: ReplayBatch, ids: list[int]) -> list[Judged]:
        middle = len(ids) // 2
        return [
            each for part in (ids[:middle], ids[middle:])
            for each in self._judge(batch, *self._page(batch, 0, part, len(part))[:2])
        ]  # fmt: skip

    def _key(self, batch: ReplayBatch, ids: list[int]) -> tuple[int, Any, int]:
        text = "SELECT id, key, event FROM purge_resurrected WHERE id = ANY (%(ids)s)"
        return fetch(batch.using, text, {"ids": ids})[0]

    def _look(self, batch: ReplayBatch, ids: list[int], locked: Subjects) -> list[Judged]:
        own, group = self.own, self.group
        parts = {
            "identity": Raw(identity_now(self.policy.model, group.names)),
            "rows": locked.where(batch.column) if locked.count else Placed("false"),
            "state_rows": locked.where("lc_s.key") if locked.count else Placed("false"),
        }  # fmt: skip
        params = batch.params(
            locked, ids=ids, mark=self.replay.mark,
            missing=bool(group.by) and self.deciding_policy is None,
            updates=bool(group.updates), judged=own is not None and group.kind != "deleted",
            stopped=self._stopped(batch), on_request=own is not None and own.on_request,
        )  # fmt: skip
        with without_loops(batch.using):
            return fetch(batch.using, batch.sql(__file__, "replay_look", **parts), params)

    def _stopped(self, batch: ReplayBatch) -> str:
        """Why nothing of it ends now. What the site had deleted waits for every policy's pause."""
        if self.deciding_policy:
            return why_stopped(self.deciding_policy, batch.using, any_hour=True)
        found = [standing(each, batch.using) for each in policies_of(self.policy.model)]
        return next((str(each) for each in found if each in BARRED), "")

    def _end(self, batch: ReplayBatch, keys: list[Any]) -> None:
        if not keys:
            return
        subjects = Subjects(compiled(self.policy).key, 0).written(keys)
        if self.group.updates:
            rows.update(batch, subjects)
        else:
            rows.delete(batch, subjects)
