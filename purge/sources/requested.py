"""Batches over what a person wants ended sooner.

Chosen from the table by the key, not from the agenda, and then locked and looked at as any batch.
What ends has an event `expired_by_hand` and one that names the actor, in the same transaction.
What stays (held, kept, restored, locked, blocked) stays listed as it was: the policy has it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction

from lifecycle.compiler.keys import label_of
from lifecycle.compiler.policy_sql import compiled
from lifecycle.db.connection import (
    Placed,
    Raw,
    fetch,
    own_transaction,
    scalar,
    set_local,
    statement,
)
from lifecycle.ledger import caps
from lifecycle.policy.dispositions import Update
from lifecycle.policy.policy import Policy
from purge.batch import act as rows
from purge.batch import brakes
from purge.batch.lock import lock
from purge.batch.outcome import Outcome
from purge.batch.override import NONE, Override
from purge.batch.run import begin, evaluate, record
from purge.batch.state import STUBBORN, Batch
from purge.batch.subjects import Subjects
from purge.exceptions import Halt, TooMany
from purge.sources.agenda import AgendaEntries

if TYPE_CHECKING:
    from purge.batch.verdict import Verdict
    from purge.passes.options import PassOptions


MOST_EXCEPTIONS = 10_000  # rows that one override may tombstone; each becomes an exception

_reached: dict[int, str] = {}  # override -> the last key that this process has looked at


class RequestedRows(AgendaEntries):
    """In place of agenda entries: rows that stay are not listed again."""

    def __init__(self, batch: Batch, subjects: Subjects) -> None:
        self.batch, self.subjects, self.entries = batch, subjects, []
        self.attempts, self.relisted, self.oldest = STUBBORN, False, None
        self._tombstone, self._tombstones = (None, None), None
        self.acts = ACTS

    def relist(
        self, subjects: Subjects, wait: timedelta, kind: str = "expiry_scheduled", **detail: Any
    ) -> None:
        """Listed already."""

    def relist_locked(self, subjects: Subjects) -> None:
        """Somebody else has them; their policy comes again."""
        self.batch.outcome.locked += subjects.count


def pending(policy: Policy, using: str) -> list[Override]:
    """The overrides that wait for a worker."""
    found = fetch(using, statement(__file__, "asked_pending"), {"policy": policy.name})
    return [
        Override(within or NONE, bool(skips), actor, event, True, older_than, _names(without))
        for event, actor, within, skips, older_than, without in found
    ]


def _names(told: list[str] | None) -> tuple[str, ...] | None:
    return None if told is None else tuple(told)


def batches(
    policy: Policy, how: "PassOptions", run: int | None, override: Override
) -> Iterator[Outcome]:
    """Batch after batch until every row was looked at, or the pass is over.

    Raises `Halt` before the first row when the cap does not leave so many.
    """
    left = caps.room(policy, how.using)
    if how_many(policy, how.using, override, left + 1) > left:
        raise Halt("cap", f"more than {left} rows would end", left=left)
    last, size = _reached.get(override.event or 0), policy.batch_rows
    while not how.is_over:
        try:
            done = run_batch(policy, how, run, override, last, size)
        except TooMany:
            size = max(size // 2, 1)
            continue
        if done is None:
            _reached.pop(override.event or 0, None)
            return
        outcome, last = done
        yield outcome
    _reached[override.event or 0] = last or ""


def how_many(policy: Policy, using: str, override: Override, most: int) -> int:
    """How many rows would end, without those tombstoned before; counted no further than `most`."""
    text = _statement(override.applied(policy), "asked_rows")
    params = {"policy": policy.name, "model": label_of(policy), "within": override.within}
    return int(scalar(using, text, params | {"most": most}))


def run_batch(
    policy: Policy,
    how: "PassOptions",
    run: int | None,
    override: Override,
    last: str | None,
    size: int,
) -> tuple[Outcome, str] | None:
    with own_transaction(how.using):
        batch = begin(policy, how.using, run, how.dry, any_hour=True)
        if batch is None or not _is_ours(batch, override):
            return None
        batch.override = override
        if (applied := override.applied(policy)) is not policy:
            # Of the code: a batch begins only where that and the database declare the same.
            batch.state_sql = compiled(applied).state_sql
        batch.told = {"override": override.event} if override.event else {}
        batch.collect_keys = how.collect_keys
        batch.most = None if how.dry else policy.batch_rows
        found = _next(batch, override, min(size, how.limit or size), last)
        if found is None:
            _settle(batch, override)
            return None
        subjects, last = found
        batch.source = RequestedRows(batch, subjects)
        set_local(how.using, **{"lifecycle.actor": override.actor})
        locked = lock(batch, subjects)
        if locked.count:
            evaluate(batch, locked)
        brakes.count_against_cap(batch)
        record(batch)
        transaction.set_rollback(how.dry, using=how.using)
        return batch.outcome, last


def _is_ours(batch: Batch, override: Override) -> bool:
    """Whether no other worker has this override; one that is not on the agenda is the caller's."""
    params = {"event": override.event}
    return (
        bool(scalar(batch.using, batch.sql(__file__, "asked_lock"), params)) or not override.listed
    )


def _next(
    batch: Batch, override: Override, size: int, last: str | None
) -> tuple[Subjects, str] | None:
    params = {"last": last, "now": batch.now, "within": override.within, "rows": size}
    count, keys, last = fetch(batch.using, batch.sql(__file__, "asked_next"), params)[0]
    return (Subjects(compiled(batch.policy).key, count, keys=keys), str(last)) if count else None


def _settle(batch: Batch, override: Override) -> None:
    """Every row was looked at: the override is off the agenda."""
    if override.event and override.listed and not batch.dry:
        batch.write("settled", Subjects(compiled(batch.policy).key, 0), settled=[override.event])


def _statement(policy: Policy, name: str) -> str:
    code = compiled(policy)
    parts = {"state_sql": Raw(code.state_sql), "type": Placed(code.key.db_type)}
    return statement(__file__, name, **parts)


def _stays(batch: Batch, verdict: "Verdict") -> None:
    """Listed as it was."""


def _held(batch: Batch, verdict: "Verdict") -> None:
    batch.outcome.held += verdict.subjects.count


def _kept(batch: Batch, verdict: "Verdict") -> None:
    batch.outcome.kept += verdict.subjects.count


def _expire(batch: Batch, verdict: "Verdict") -> None:
    """Its grace is not skipped: an exception, and on the agenda for a tombstone at once."""
    kept = batch.override.kept if batch.override else {}
    batch.write("expired_by_hand", verdict.subjects, batch.now, **kept)
    batch.outcome.tombstoned += verdict.subjects.count


def _end(batch: Batch, verdict: "Verdict") -> None:
    batch.outcome.fresh += verdict.subjects.count
    _purge(batch, verdict)


def _purge(batch: Batch, verdict: "Verdict") -> None:
    """The events of the end share the set of the one that says who wanted it."""
    with _skipping_grace(batch):
        event = batch.write("expired_by_hand", verdict.subjects)
        subjects = verdict.subjects
        if not isinstance(batch.policy.disposition, Update):
            subjects = replace(subjects, event=event)
        rows.ACTS["purge"](batch, replace(verdict, subjects=subjects))


@contextmanager
def _skipping_grace(batch: Batch) -> Iterator[None]:
    before, batch.told = batch.told, batch.told | {"grace_skipped": True}
    try:
        yield
    finally:
        batch.told = before


ACTS = {
    "free": _stays,
    "later": _stays,
    "waiting": _stays,
    "held": _held,
    "kept": _kept,
    "tombstone": _expire,
    "end": _end,
    "purge": _purge,
}
