"""Rows of a plan that is carried out: its keys, and of these only rows that are as they were.

Deletes people's data. The rows are locked, their versions are compared in a later statement, and
then they are evaluated as in any batch. What goes along with one must not have been written since
the plan was made, nor come since. What is not ended (changed since, gone, held, kept, locked by
somebody else, blocked) is noted with the reason, in the transaction that says how far
the plan is carried out. No row is looked for: what the plan does not list cannot be found here.
"""

import json
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, NamedTuple

from django.db import OperationalError, transaction
from psycopg.types.json import Jsonb

from lifecycle.db.connection import Placed, Query, Raw, fetch, scalar, set_local, statement
from lifecycle.db.sql import array_text
from lifecycle.policy.dispositions import Update
from purge.batch import act
from purge.batch.cascade.written import Epoch
from purge.batch.evaluate import (
    NO_GRACE,
    NO_TOMBSTONE,
    ONE_TOMBSTONE,
    OWN,
    UNNAMED,
    Verdict,
    lock_rows,
)
from purge.batch.state import STUBBORN, Batch
from purge.batch.subjects import Subjects
from purge.exceptions import PlanAltered, TooMany, WrittenBelow
from purge.passes.options import PassOptions, Planned
from purge.sources.versions import classify

START = "0:0"  # the first row of the first part
STAYING = ("free", "later", "waiting", "held", "kept", "tombstone")


class Slice(NamedTuple):
    """Rows of one part of a plan, from its `done`th on."""

    part: int
    done: int
    keys: list[str]
    versions: list[str]
    holds: list[list[int]]
    epoch: Epoch
    number: int


@dataclass
class PlannedRows:
    """The rows of a slice that are as they were; no entry lists them. `left`: reasons, by key."""

    batch: Batch
    options: PassOptions
    slice: Slice
    subjects: Subjects
    left: dict[str, str]
    entries: str = "{}"
    attempts: int = STUBBORN  # they are waited for
    relisted: bool = False
    searches: bool = True
    only_tombstones: bool = False
    tombstones: Placed = ONE_TOMBSTONE
    tombstone_params: dict[str, Any] = field(default_factory=lambda: dict(NO_TOMBSTONE))

    def __post_init__(self) -> None:
        due = Placed(f"least({OWN['due']}, %(now)s::timestamptz - %(resolution)s)")
        self.expressions = OWN | UNNAMED | {"due": due, "grace": NO_GRACE, "listed": Raw("'purge'")}
        own = {"end": self._end, "purge": self._purge}
        self.acts: dict[str, Any] = act.ACTS | dict.fromkeys(STAYING, self._stay) | own

    def relist(
        self, subjects: Subjects, wait: timedelta, kind: str = "expiry_scheduled", **detail: Any
    ) -> None:
        """Listed already, by its policy; noted here. None is left out for taking long: then the
        batch is done again with fewer rows."""
        if detail.get("relisted") == "slow" and not self.batch.dry:
            raise TooMany
        reason = "along" if detail.get("error") == WrittenBelow.__name__ else kind
        self._note(subjects, reason if kind == "blocked" else str(detail.get("relisted", "later")))

    def relist_locked(self, subjects: Subjects) -> None:
        """Somebody else has them."""
        self._note(subjects, "locked")
        self.batch.outcome.locked += subjects.count

    def closing(self) -> list[Query]:
        """How far the plan is carried out, and what was left out."""
        return [] if self.batch.dry else [done_with(self.slice, self.left)]

    def committed(self) -> None:
        """A dry run goes on after these rows."""
        self.options.reached = f"{self.slice.number}:{self.slice.done + len(self.slice.keys)}"

    def _stay(self, batch: Batch, verdict: Verdict) -> None:
        if verdict.name in ("held", "kept"):
            act.ACTS[verdict.name](batch, verdict)
        self._note(verdict.subjects, verdict.name)

    def _end(self, batch: Batch, verdict: Verdict) -> None:
        batch.outcome.fresh += verdict.subjects.count
        self._purge(batch, verdict)

    def _purge(self, batch: Batch, verdict: Verdict) -> None:
        """The events of the end share the set of the one that says who wanted it."""
        batch.grace_skipped = True
        if self.left:
            for key in _listed(batch, verdict.subjects):
                self.left.pop(key, None)  # it was left by an attempt that was taken back
        event = batch.write("expired_by_hand", verdict.subjects)
        if not isinstance(batch.policy.disposition, Update):
            verdict = verdict._replace(subjects=replace(verdict.subjects, event=event))
        act.purge(batch, verdict)
        if self.options.plan:
            self.options.plan.along.update(batch.cascaded.get("cascade", {}))

    def _note(self, subjects: Subjects, reason: str) -> None:
        self.left |= dict.fromkeys(_listed(self.batch, subjects), reason)


def claim(plan: Planned, batch: Batch, options: PassOptions, rows: int) -> PlannedRows | None:
    """The next rows of a plan that no other worker has; None after the last."""
    reached = (options.reached or START) if batch.dry else None
    found = next_slice(plan.number, plan.digests, batch.using, rows, reached)
    if found is None:
        return None
    batch.detail = {"plan": plan.event} if plan.event else {}
    batch.planned_at = found.epoch
    set_local(batch.using, **{"lifecycle.actor": plan.actor})
    locked = _lock(batch, _subjects(batch, found.keys))
    seen = classify(
        batch.policy.model, batch.using, found.keys, found.versions, found.epoch
    )  # in a later statement than the lock
    left = left_of(found, seen.same, seen.gone, locked)
    keys = [key for key in found.keys if key not in left]
    return PlannedRows(batch, options, found, _subjects(batch, keys), left)


def left_of(found: Slice, same: set[str], gone: set[str], locked: set[str]) -> dict[str, str]:
    """Why rows of a slice are left out before they are evaluated, by key."""
    left = {}
    for key in found.keys:
        if key in gone:
            left[key] = "gone"
        elif key not in locked:
            left[key] = "locked"
        elif key not in same:
            left[key] = "changed"
    return left


def next_slice(
    plan: int, wanted: list[str], using: str, rows: int, reached: str | None
) -> Slice | None:
    """The next rows of a plan, their part locked; raises `PlanAltered` where its hash is not the
    one that is `wanted`: by the caller, who has verified it, not by the plan's row.

    `reached` is the place after which a dry run goes on; None for what is carried out.
    """
    part, _, done = (reached or START).partition(":")
    params: dict[str, Any] = {"plan": plan, "rows": rows, "dry": reached is not None}
    params["wanted"] = wanted
    params |= {"part": int(part), "done": int(done)}
    found = fetch(using, statement(__file__, "next_rows", digest=_digest()), params)
    if not found:
        return None
    part, done, keys, versions, holds, epoch, since, running, is_whole, number = found[0]
    if not is_whole:
        raise PlanAltered(f"Part {number} of plan {plan} is not what it was when it was made.")
    moment = Epoch(epoch, since, tuple(running))
    return Slice(part, done, keys, versions, json.loads(holds), moment, number)


def digests(plan: int, using: str) -> list[str]:
    """The hashes of the parts of a plan as they are now."""
    text = statement(__file__, "digests", digest=_digest())
    return list(scalar(using, text, {"plan": plan}))


def done_with(found: Slice, left: dict[str, str]) -> Query:
    """What says that a slice is done with, and which of its rows were left out."""
    reasons: dict[str, list[str]] = {}
    for key, reason in left.items():
        reasons.setdefault(reason, []).append(key)
    params = {"part": found.part, "done": found.done + len(found.keys), "left": Jsonb(reasons)}
    return Query(statement(__file__, "done_with"), params)


def _digest() -> Placed:
    lines = statement(__file__, "digest").splitlines()
    return Placed("\n".join(line for line in lines if not line.startswith("--")))


def _subjects(batch: Batch, keys: list[str]) -> Subjects:
    text = statement(__file__, "in_order", kind=Placed(batch.code.key.kind))
    ordered = scalar(batch.using, text, {"keys": keys}) if keys else "{}"
    return batch.keys(len(keys), ordered)


def _lock(batch: Batch, subjects: Subjects) -> set[str]:
    """Lock the rows, those of others are waited for for a moment; the keys of those locked."""
    strength = "FOR UPDATE" if batch.policy.disposition.hides else "FOR NO KEY UPDATE"
    try:
        with transaction.atomic(using=batch.using):
            locked = lock_rows(batch, subjects, strength)
    except OperationalError:
        locked = lock_rows(batch, subjects, f"{strength} SKIP LOCKED")
    return set(_listed(batch, locked)) if locked.count else set()


def _listed(batch: Batch, subjects: Subjects) -> list[str]:
    text = statement(__file__, "listed", kind=Placed(batch.code.key.kind))
    keys = subjects.keys or array_text(())
    return [key for (key,) in fetch(batch.using, text, {"keys": keys})]
