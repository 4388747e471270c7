"""The agenda entries of one batch, and what becomes of them.

An entry is settled by every batch that has looked at its rows. Rows that are neither gone, ended,
outside `when` nor listed elsewhere at exactly their time are relisted: listed again, in the same
transaction, so nothing due is ever forgotten.
"""

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction
from psycopg.types.json import Jsonb

from lifecycle.compiler.keys import subjects_of
from lifecycle.compiler.policy_sql import compiled
from lifecycle.db.connection import Placed, fetch, own_transaction
from lifecycle.policy.policy import Policy
from purge.back_off import back_off
from purge.batch import brakes
from purge.batch.act import ACTS
from purge.batch.expressions import OWN
from purge.batch.lock import lock
from purge.batch.outcome import Outcome
from purge.batch.run import begin, evaluate, record
from purge.batch.state import BEGINNING, Batch
from purge.batch.subjects import Subjects

if TYPE_CHECKING:
    from purge.batch.state import CollectKeys


def run_batch(
    policy: Policy, using: str, run: int | None, size: int, since: Any = BEGINNING,
    seen: list[int] | None = None, any_hour: bool = False,
    collect_keys: "CollectKeys | None" = None,
) -> Outcome | None:  # fmt: skip
    """Settle one batch of at most `size` rows that are due; None when nothing is.

    With `seen` it is a dry run: the batch is taken back, and its entries are added to the list.
    Raises what brakes raise, and `TooMany`; then it has changed nothing.
    """
    with own_transaction(using):
        batch = begin(policy, using, run, seen is not None, any_hour)
        source = claim(batch, size, since, seen or []) if batch else None
        if batch is None or source is None:
            return None
        batch.source, batch.collect_keys = source, collect_keys
        batch.most = None if batch.dry else policy.batch_rows
        _settle(batch, size)
        if seen is not None:
            transaction.set_rollback(True, using=using)
            seen.extend(source.entries)
        return batch.outcome


def _settle(batch: Batch, size: int) -> None:
    subjects = batch.source.subjects
    if subjects.count > size:
        subjects = batch.source.first(size)
    locked = lock(batch, subjects)
    if locked.count:
        evaluate(batch, locked)
    batch.source.close()
    brakes.count_against_cap(batch)
    record(batch)


ENTRIES = 5_000  # most entries in one batch
LOCKED_AGAIN = timedelta(seconds=1)
PIECES = 20  # most entries that the rest of a large one becomes
LONGEST_WAIT = timedelta(minutes=1)


class AgendaEntries:
    """Entries that this batch has locked, with the tombstones that they give to their rows."""

    read: dict[str, Any] = OWN  # how the look reads a row's own end and grace
    acts: dict[str, Any] = ACTS  # what is done with each class of rows

    def __init__(self, batch: "Batch", entries: list[tuple[Any, ...]]) -> None:
        self.batch = batch
        self.entries = [entry[0] for entry in entries]
        self.attempts = max(entry[2] for entry in entries)
        self.relisted = any(entry[8] for entry in entries)
        self._tombstone: tuple[Any, Any] = entries[0][3], entries[0][4]
        self._tombstones: dict[str, Any] | None = None
        self.oldest = min((entry[3] for entry in entries if entry[3]), default=None)
        mixed = len({entry[3] for entry in entries}) > 1
        self.subjects = self._one(entries[0]) if len(entries) == 1 else self._several(mixed)

    @property
    def none_tombstoned(self) -> bool:
        """Whether none of the rows was tombstoned before."""
        return self.oldest is None

    def _one(self, entry: tuple[Any, ...]) -> Subjects:
        _, count, _, _, _, owner, low, high, *_ = entry
        span = None if low is None else (low, high)
        return Subjects(compiled(self.batch.policy).key, count, event=owner, span=span)

    def _several(self, mixed: bool = False) -> Subjects:
        """The keys of all entries; each with its own tombstone where the entries' differ."""
        column = f"subjects_{compiled(self.batch.policy).key.kind}"
        text = self.batch.sql(
            __file__, "collect_keys_and_tombstones" if mixed else "collect_keys", subjects=column
        )
        count, keys, *tombstones = fetch(self.batch.using, text, {"entries": self.entries})[0]
        if mixed:
            self._tombstones = {
                "subject_keys": keys,
                "tombstones": tombstones[0],
                "tombstoned_at": tombstones[1],
            }
        return Subjects(compiled(self.batch.policy).key, count, keys=keys)

    def first(self, limit: int) -> Subjects:
        """The first rows of the set; the others are relisted, due as before."""
        if self.subjects.keys is None:
            self.subjects = self._several()
        rest = self.subjects.count - limit
        piece = max(limit, rest // PIECES + 1)
        params = self.batch.params(self.subjects, limit=limit, piece=piece)
        keys, others = fetch(self.batch.using, self.batch.sql(__file__, "split"), params)[0]
        for other in others:  # as the next batches will want them: none splits all of it again
            part = Subjects(self.subjects.key, min(piece, rest), keys=other)
            self.relist(part, timedelta(0), relisted="limit")
            rest -= piece
        return Subjects(self.subjects.key, limit, keys=keys)

    def tombstones(self) -> Placed:
        """The join that gives each row its tombstone."""
        kind = compiled(self.batch.policy).key.kind
        if self._tombstones is None:
            return Placed(
                "CROSS JOIN (SELECT %(tombstone)s::bigint AS tombstone,"
                " %(tombstoned_at)s::timestamptz AS tombstoned_at) AS tombstone"
            )
        return Placed(
            f"JOIN unnest(%(subject_keys)s::{kind}[], %(tombstones)s::bigint[],"
            " %(tombstoned_at)s::timestamptz[]) AS tombstone (key, tombstone, tombstoned_at)"
            f" ON tombstone.key = state.key::{kind}"
        )

    def tombstone_params(self) -> dict[str, Any]:
        one = {
            "tombstone": self._tombstone[0],
            "tombstoned_at": self._tombstone[1],
            "oldest": self.oldest,
        }
        return one | (self._tombstones or {})

    def relist(
        self, subjects: Subjects, wait: timedelta, kind: str = "expiry_scheduled", **detail: Any
    ) -> None:
        """List rows again after a while, with the tombstones that they have."""
        row = subjects_of(subjects.key, "array_agg(state.key ORDER BY state.key)")
        text = self.batch.sql(
            __file__, "relist_with_tombstones", subjects=Placed(row), tombstones=self.tombstones()
        )
        params = self.batch.params(subjects, **self.tombstone_params(), kind=kind)
        detail |= self.batch.told
        due = {"due": self.batch.now + wait, "detail": Jsonb(detail)}
        fetch(self.batch.using, text, params | due)

    def relist_locked(self, subjects: Subjects) -> None:
        """Rows that somebody else has locked: soon again, then less and less soon."""
        wait = back_off(LOCKED_AGAIN, LONGEST_WAIT, self.attempts)
        self.relist(subjects, wait, relisted="locked", attempts=self.attempts + 1)
        self.batch.outcome.locked += subjects.count

    def relist_at(
        self, subjects: Subjects, dues: str, why: str, tombstone: int | None = None
    ) -> None:
        """List rows again, each at its own time; both arrays are in the order of the times."""
        detail = (
            {"relisted": why} | ({"tombstone": tombstone} if tombstone else {}) | self.batch.told
        )
        text = self.batch.sql(__file__, "relist", subjects=subjects.composite(ordered=True))
        fetch(self.batch.using, text, self.batch.params(subjects, dues=dues, detail=Jsonb(detail)))

    def close(self) -> None:
        """Take the entries off the agenda; the ledger says which."""
        self.batch.write("settled", Subjects(self.subjects.key, 0), settled=self.entries)


def claim(batch: "Batch", rows: int, since: Any, seen: list[int]) -> AgendaEntries | None:
    """Lock the batch's entries, none of those seen before; None when nothing is due."""
    params = {"policy": batch.policy.name, "now": batch.now, "since": since}
    params |= {"rows": rows, "entries": ENTRIES, "seen": seen, "open": batch.open}
    entries = _alone(batch, fetch(batch.using, batch.sql(__file__, "claim"), params))
    return AgendaEntries(batch, entries) if entries else None


def _alone(batch: "Batch", entries: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """A row that was erased on request ends in a batch of its own, for its receipt.

    Entries that are left out stay on the agenda as they are.
    """
    asked = [place for place, entry in enumerate(entries) if entry[9]]
    if not asked:
        return entries
    if asked[0] == 0:
        batch.told = json.loads(entries[0][9])
    return entries[: asked[0] or 1]
