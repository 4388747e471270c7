"""Settle what a replay has found: group by group, in short transactions of one batch each."""

import time
from collections import Counter

from django.db import transaction

from lifecycle.db.connection import fetch, own_transaction, statement
from lifecycle.ledger.context import context
from lifecycle.ledger.row_names import row_name
from purge.batch.run import count_in_run
from purge.replay.batch import TRIES, GroupReplay, JudgedRow, begin, judge, next_page
from purge.replay.model import Group, LeftRow, Replay, Report

LEAST_ROWS, MOST_ROWS = 100, 10_000  # of a batch
SLOW = 0.5  # seconds; PostgreSQL looks for deadlocks after 1


def settle_all(replay: Replay, report: Report, act: bool) -> None:
    """Judge all rows that were found and, with `act`, end again those that are to be ended."""
    found = fetch(replay.using, statement(__file__, "groups"), {"run": replay.run.pk})
    for row in found:
        _Settling(GroupReplay(replay, Group(*row), act), report).run()


class _Settling:
    """One group, batch by batch, then those rows once more that somebody had locked."""

    def __init__(self, task: GroupReplay, report: Report) -> None:
        self.task, self.report, self.size = task, report, LEAST_ROWS * 10

    def run(self) -> None:
        locked = self._pages(None, waits=False)
        for _ in range(TRIES if self.task.act else 1):
            if not locked:
                return
            locked = self._pages([row.id for row in locked], waits=True)
        self._report([row._replace(verdict="blocked") for row in locked])

    def _pages(self, only: list[int] | None, waits: bool) -> list[JudgedRow]:
        """All rows, or only these; returns those that are locked."""
        after: int | None = 0
        locked: list[JudgedRow] = []
        while after is not None:
            started = time.monotonic()
            after, judged = self._batch(after, only, waits)
            locked += [row for row in judged if row.verdict == "locked"]
            self._report([row for row in judged if row.verdict != "locked"])
            self._resize(time.monotonic() - started)
        return locked

    def _resize(self, seconds: float) -> None:
        if seconds > SLOW:
            self.size = max(self.size // 2, LEAST_ROWS)
        elif seconds < SLOW / 5:
            self.size = min(self.size * 2, MOST_ROWS)

    def _report(self, judged: list[JudgedRow]) -> None:
        verdicts = Counter(row.verdict for row in judged)
        self.report.add(self.task.group.ending, verdicts)
        self.task.replay.progress(len(judged))
        for row in judged:
            if row.verdict not in ("ended", "gone"):
                name = row_name(self.task.policy.model, row.key)
                self.report.leave(LeftRow(name, row.event, row.verdict, row.why))

    def _batch(
        self, after: int, only: list[int] | None, waits: bool
    ) -> tuple[int | None, list[JudgedRow]]:
        """One short transaction; the number of its last row, None when there was none."""
        replay, judged = self.task.replay, list[JudgedRow]()
        with own_transaction(replay.using):
            with context(actor=replay.actor, cause="replay", using=replay.using):
                batch = begin(self.task, waits)
                page = next_page(batch, after, only, self.size)
                if page.ids:
                    judged = judge(batch, page)
                    by = batch.by or batch.policy.name  # the host's own deletes name no policy
                    counted = count_in_run(replay.run.pk, by, batch.now, batch.outcome)
                    fetch(batch.using, *counted)
            if replay.dry or not self.task.act:
                transaction.set_rollback(True, using=replay.using)
        return page.last, judged
