"""Rows that a person wants ended sooner: those of an override.

Chosen from the table by the key, not from the agenda, and then locked and evaluated as in any
batch. What ends has an event `expired_by_hand` and one that names the actor, in the same
transaction. What stays (held, kept, restored, locked, blocked) stays listed as it was: the policy
has it.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from lifecycle.compiler.excepted import HELD, RESTORED, excepted
from lifecycle.compiler.keys import label_of
from lifecycle.compiler.policy_sql import compiled
from lifecycle.db.connection import Placed, Query, Raw, fetch, scalar, set_local, statement
from lifecycle.ledger import caps
from lifecycle.policy.dispositions import Update
from lifecycle.policy.policy import Policy
from purge.batch import act
from purge.batch.evaluate import NO_TOMBSTONE, ONE_TOMBSTONE, Verdict, told
from purge.batch.state import STUBBORN, Batch
from purge.batch.subjects import Subjects
from purge.exceptions import Halt
from purge.passes.options import PassOptions
from purge.passes.override import NONE, Override
from purge.sources.agenda import IS_OVERRIDE, has_grace

MOST_EXCEPTIONS = 10_000  # rows that one override may tombstone; each becomes an exception

_reached: dict[int, str] = {}  # override -> the key of the last row that this process has evaluated


@dataclass
class RequestedRows:
    """The next rows of an override by their key, up to `reached`; no entry lists them."""

    batch: Batch
    options: PassOptions
    override: Override
    subjects: Subjects
    reached: str
    entries: str = "{}"
    attempts: int = STUBBORN  # they are waited for
    relisted: bool = False
    searches: bool = True
    tombstones: Placed = ONE_TOMBSTONE

    def __post_init__(self) -> None:
        self.only_tombstones = has_grace(self.batch.policy) and not self.override.skips_grace
        self.tombstone_params = NO_TOMBSTONE | {"within": self.override.within}
        self.expressions = self.override.expressions | told(self.batch.policy)
        own = {"tombstone": self._expire, "end": self._end, "purge": self._purge}
        self.acts: dict[str, Any] = act.ACTS | own

    def relist(
        self, subjects: Subjects, wait: timedelta, kind: str = "expiry_scheduled", **detail: Any
    ) -> None:
        """Listed already."""

    def relist_locked(self, subjects: Subjects) -> None:
        """Somebody else has them; their policy comes again."""
        self.batch.outcome.locked += subjects.count

    def closing(self) -> list[Query]:
        """The override stays on the agenda until there is no next row: see `claim`."""
        return []

    def committed(self) -> None:
        """The next batch goes on after these rows, also that of another pass of this process."""
        self.options.reached = self.reached
        if self.override.event and self.options.is_over and not self.options.dry:
            _reached[self.override.event] = self.reached

    def _expire(self, batch: Batch, verdict: Verdict) -> None:
        """Its grace is not skipped: an exception, and on the agenda for a tombstone at once."""
        batch.grace_skipped = False
        batch.write("expired_by_hand", verdict.subjects, batch.now, **self.override.dropped)
        batch.outcome.tombstoned += verdict.subjects.count

    def _end(self, batch: Batch, verdict: Verdict) -> None:
        batch.outcome.fresh += verdict.subjects.count
        self._purge(batch, verdict)

    def _purge(self, batch: Batch, verdict: Verdict) -> None:
        """The events of the end share the set of the one that says who wanted it."""
        batch.grace_skipped = True
        event = batch.write("expired_by_hand", verdict.subjects)
        if not isinstance(batch.policy.disposition, Update):
            verdict = verdict._replace(subjects=replace(verdict.subjects, event=event))
        act.purge(batch, verdict)


def pending(policy: Policy, using: str) -> list[Override]:
    """The overrides that wait for a worker."""
    text = statement(__file__, "pending", is_override=IS_OVERRIDE)
    return [
        Override(
            within or NONE, skips_grace, actor, event, listed=True, older_than=older_than,
            without=None if without is None else tuple(without),
        )
        for event, actor, within, skips_grace, older_than, without in fetch(
            using, text, {"policy": policy.name}
        )
    ]  # fmt: skip


def options_of(options: PassOptions, override: Override) -> PassOptions:
    """Those of the part of a pass that is about an override."""
    reached = _reached.pop(override.event or 0, None)
    return replace(options, override=override, any_hour=True, reached=reached)


def check_cap(policy: Policy, using: str, override: Override) -> None:
    """Raise `Halt` when more rows would end than the cap leaves: before the first row."""
    left = caps.room(policy, using)
    if how_many(policy, using, override, left + 1) > left:
        left = caps.room(policy, using, counted=True)
    if how_many(policy, using, override, left + 1) > left:
        raise Halt("cap", f"more than {left} rows would end", left=left)


def how_many(policy: Policy, using: str, override: Override, most: int) -> int:
    """How many rows would end, without those tombstoned before; counted no further than `most`."""
    code = compiled(override.applied(policy))
    parts: dict[str, Any] = {"state_sql": Raw(code.state_sql), "type": Placed(code.key.cast)}
    for name, which in (("held", HELD), ("restored", RESTORED)):
        parts[name] = excepted(code.key.text("state.key"), which)
    params = {"policy": policy.name, "model": label_of(policy), "within": override.within}
    return int(scalar(using, statement(__file__, "how_many", **parts), params | {"most": most}))


def claim(
    override: Override, batch: Batch, options: PassOptions, rows: int
) -> RequestedRows | None:
    """The next rows of an override that no other worker has; None, and settled, after the last."""
    if not _is_ours(batch, override):
        return None
    if (applied := override.applied(batch.policy)) is not batch.policy:
        # Of the code: a batch begins only where that and the database declare the same.
        batch.state_sql, batch.declared = compiled(applied).state_sql, applied
    batch.detail = {"override": override.event} if override.event else {}
    params = {"reached": options.reached, "now": batch.now, "within": override.within}
    text = batch.sql(__file__, "next_rows")
    count, keys, reached = fetch(batch.using, text, params | {"rows": rows})[0]
    if not count:
        _settle(batch, override)
        return None
    set_local(batch.using, **{"lifecycle.actor": override.actor})
    return RequestedRows(batch, options, override, batch.keys(count, keys), str(reached))


def _is_ours(batch: Batch, override: Override) -> bool:
    """Whether no other worker has this override; one that is not on the agenda is the caller's."""
    text = batch.sql(__file__, "lock_override")
    is_locked = bool(scalar(batch.using, text, {"event": override.event}))
    return is_locked or not override.listed


def _settle(batch: Batch, override: Override) -> None:
    """Take the override off the agenda: every row was evaluated."""
    if override.event and override.listed and not batch.dry:
        batch.write("settled", batch.nobody, settled=[override.event])
