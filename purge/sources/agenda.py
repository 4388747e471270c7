"""The agenda entries of one batch, and what becomes of them.

An entry is settled by every batch that has evaluated its rows. Rows that are neither gone, ended,
outside `when` nor listed elsewhere at exactly their time are relisted: listed again, in the same
transaction, so nothing due is ever forgotten.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg.types.json import Jsonb

from lifecycle.compiler.keys import subjects_of
from lifecycle.compiler.windows import is_windowed, window_due_of
from lifecycle.db.connection import Placed, Query, fetch
from lifecycle.policy.policy import Policy
from purge.back_off import back_off
from purge.batch import act
from purge.batch.evaluate import ONE_TOMBSTONE, Verdict, expressions_of
from purge.batch.state import Batch
from purge.batch.subjects import Subjects
from purge.passes.options import PassOptions

MOST_ENTRIES = 10_000  # in one batch, as many as rows
MOST_PARTS = 20  # entries that the others of a large one become
FIRST_NOTICE, LONGEST_NOTICE = timedelta(minutes=1), timedelta(hours=1)  # for a mail to go
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=1), timedelta(minutes=1)  # for rows that are locked

#: what an entry of the agenda is for: rows that it lists, or a person's override, which lists none
LISTS_ROWS = Placed("(entry.count > 0 AND entry.window_at IS NULL)")
IS_OVERRIDE = Placed("(entry.count = 0 AND entry.window_at IS NULL)")

TOMBSTONE_EACH = (
    "JOIN unnest(%(subject_keys)s::{kind}[], %(tombstones)s::bigint[],"
    " %(tombstoned_at)s::timestamptz[]) AS tombstone (key, tombstone, tombstoned_at)"
    " ON tombstone.key = state.key::{kind}"
)


@dataclass(frozen=True)
class ClaimedEntries:
    """Agenda entries that a batch has locked and that give their rows the same tombstone, or none.

    events    their numbers, as an array's text; ten thousand need not become Python objects
    entries   how many entries; `count`, how many rows they list
    attempts  how often the most stubborn of them was tried
    owner     of a single one: the event that has the set; `low` to `high` where that is a range
    relisted  whether some of them list rows again, which may have a tombstone under another entry
    keys      the keys of all rows, in order, each once, where each entry lists a single one;
              `distinct`, how many they are
    request   reference and number of the request, as JSON, of a row that is erased on request
    """

    events: str
    entries: int
    count: int
    attempts: int
    owner: int
    tombstone: int | None = None
    tombstoned_at: datetime | None = None
    low: int | None = None
    high: int | None = None
    relisted: bool = False
    keys: str | None = None
    distinct: int = 0
    request: str | None = None


class AgendaEntries:
    """Entries that a batch has locked, with the tombstones that they give to their rows."""

    searches = False

    def __init__(
        self, batch: Batch, claimed: list[ClaimedEntries], seen: list[int] | None = None
    ) -> None:
        self.batch, self.claimed, self.seen = batch, claimed, seen
        self.entries = joined(each.events for each in claimed)
        self.attempts = max(each.attempts for each in claimed)
        self.relisted = any(each.relisted for each in claimed)
        oldest = min((each.tombstone for each in claimed if each.tombstone), default=None)
        self.only_tombstones = oldest is None and has_grace(batch.policy)
        self.tombstones = ONE_TOMBSTONE
        self.tombstone_params: dict[str, Any] = {
            "tombstone": claimed[0].tombstone, "tombstoned_at": claimed[0].tombstoned_at,
            "oldest": oldest,
        }  # fmt: skip
        self.expressions = expressions_of(batch.policy)
        if is_windowed(batch.policy):  # a row that is listed by its key ends with its window
            self.expressions = self.expressions | {"due": window_due_of(batch.policy)}
        self.acts = act.ACTS | {
            "later": self._later, "waiting": self._wait, "held": self._hold, "kept": self._keep,
            "notice": self._await_notice,
        }  # fmt: skip
        is_one = claimed[0].entries == len(claimed) == 1
        self.subjects = self._of_one(claimed[0]) if is_one else self._of_several()

    def _of_one(self, entry: ClaimedEntries) -> Subjects:
        span = None if entry.low is None or entry.high is None else (entry.low, entry.high)
        return Subjects(self.batch.code.key, entry.count, event=entry.owner, span=span)

    def _of_several(self) -> Subjects:
        """The keys of all entries; each with its own tombstone where the entries' differ."""
        if len(self.claimed) == 1:
            return self._collect_keys()
        count, keys, tombstones, tombstoned_at = self._collect("collect_keys_and_tombstones")
        self.tombstones = Placed(TOMBSTONE_EACH.format(kind=self.batch.code.key.kind))
        self.tombstone_params |= {
            "subject_keys": keys, "tombstones": tombstones, "tombstoned_at": tombstoned_at
        }  # fmt: skip
        return self.batch.keys(count, keys)

    def _collect_keys(self) -> Subjects:
        (only, *others) = self.claimed
        if only.keys and not others:
            return self.batch.keys(only.distinct, only.keys)
        return self.batch.keys(*self._collect("collect_keys"))

    def _collect(self, name: str) -> tuple[Any, ...]:
        own = f"subjects_{self.batch.code.key.kind}"
        owners = Placed(self.batch.sql(__file__, "owners", subjects=own))
        text = self.batch.sql(__file__, name, owners=owners)
        return fetch(self.batch.using, text, {"entries": self.entries})[0]

    def limit_to(self, rows: int) -> None:
        """Keep the first rows of the set; the others are relisted, due as before."""
        if self.subjects.count <= rows:
            return
        if self.subjects.keys is None:
            self.subjects = self._collect_keys()
        others = self.subjects.count - rows
        size = max(rows, others // MOST_PARTS + 1)
        params = self.batch.params(self.subjects, limit=rows, size=size)
        first, parts = fetch(self.batch.using, self.batch.sql(__file__, "split"), params)[0]
        for part in parts:  # as the next batches will want them: none splits all of it again
            self.relist(self.batch.keys(min(size, others), part), timedelta(0), relisted="limit")
            others -= size
        self.subjects = self.batch.keys(rows, first)

    def relist(
        self, subjects: Subjects, wait: timedelta, kind: str = "expiry_scheduled", **detail: Any
    ) -> None:
        """List rows again after a while, with the tombstones that they have."""
        row = subjects_of(subjects.key, "array_agg(state.key ORDER BY state.key)")
        parts = {"subjects": Placed(row), "tombstones": self.tombstones}
        params = self.batch.params(subjects, **self.tombstone_params, kind=kind)
        params |= {"due": self.batch.now + wait}
        params |= {"detail": Jsonb(detail | self.batch.event_detail)}
        text = self.batch.sql(__file__, "relist_with_tombstones", **parts)
        fetch(self.batch.using, text, params)

    def relist_locked(self, subjects: Subjects) -> None:
        """Rows that somebody else has locked: soon again, then less and less soon."""
        wait = back_off(FIRST_WAIT, LONGEST_WAIT, self.attempts)
        self.relist(subjects, wait, relisted="locked", attempts=self.attempts + 1)
        self.batch.outcome.locked += subjects.count

    def closing(self) -> list[Query]:
        """Take the entries off the agenda; the ledger says which."""
        return [self.batch.appending("settled", self.batch.nobody, {}, settled=self.entries)]

    def committed(self) -> None:
        """A dry run has taken back what it settled, and is not to see it again."""
        if self.seen is not None:
            self.seen.extend(map(int, self.entries[1:-1].split(",")))

    def _later(self, batch: Batch, verdict: Verdict) -> None:
        """Rows that end later, unless another entry lists them at exactly their time."""
        params = batch.params(verdict.subjects, dues=verdict.dues, entries=self.entries)
        text = batch.sql(__file__, "unlisted")
        count, keys, dues = fetch(batch.using, text, params)[0]
        if count:
            self._relist_at(batch.keys(count, keys), dues, relisted="later")

    def _wait(self, batch: Batch, verdict: Verdict) -> None:
        """Rows whose grace is not over."""
        tombstone = {"tombstone": verdict.tombstone} if verdict.tombstone else {}
        self._relist_at(verdict.subjects, str(verdict.dues), relisted="grace", **tombstone)

    def _hold(self, batch: Batch, verdict: Verdict) -> None:
        self._relist_at(verdict.subjects, str(verdict.dues), relisted="held")
        act.count_held(batch, verdict)

    def _keep(self, batch: Batch, verdict: Verdict) -> None:
        batch.write("kept", verdict.subjects, batch.now + batch.policy.recheck)
        act.count_kept(batch, verdict)

    def _await_notice(self, batch: Batch, verdict: Verdict) -> None:
        """Rows past their end of which not all mails went: soon again, then less and less soon."""
        wait = back_off(FIRST_NOTICE, LONGEST_NOTICE, self.attempts)
        self.relist(verdict.subjects, wait, relisted="notice", attempts=self.attempts + 1)

    def _relist_at(self, subjects: Subjects, dues: str, **detail: Any) -> None:
        """List rows again, each at its own time; both arrays are in the order of the times."""
        detail |= self.batch.event_detail
        text = self.batch.sql(__file__, "relist", subjects=subjects.composite(ordered=True))
        fetch(self.batch.using, text, self.batch.params(subjects, dues=dues, detail=Jsonb(detail)))


def joined(arrays: Iterable[str]) -> str:
    """One array's text of several that are not empty."""
    return "{" + ",".join(each[1:-1] for each in arrays) + "}"


def has_grace(policy: Policy) -> bool:
    """Whether every row of a policy has a grace, the same for all."""
    return isinstance(policy.grace, timedelta) and bool(policy.grace)


def claim(batch: Batch, options: PassOptions, rows: int) -> AgendaEntries | None:
    """Lock due entries of at most so many rows, and cut a larger one; None when nothing is due."""
    params = {"policy": batch.policy.name, "now": batch.now, "since": options.since}
    params |= {"rows": rows, "entries": min(rows, MOST_ENTRIES), "seen": options.seen or []}
    params |= {"open": batch.open}
    claimed = _claimed(batch, params)
    if not claimed:
        return None
    if request := claimed[0].request:  # a row that is erased on request, alone for its receipt
        batch.detail = json.loads(request)
        batch.erasure = batch.detail["erasure"]
    source = AgendaEntries(batch, claimed, options.seen)
    source.limit_to(rows)
    return source


def _claimed(batch: Batch, params: dict[str, Any]) -> list[ClaimedEntries]:
    """The first entry, where it fills the batch or there is none; else all that fit."""
    parts = {"lists_rows": LISTS_ROWS, "told": Placed(batch.sql(__file__, "told"))}
    text = batch.sql(__file__, "claim_first", **parts)
    claimed = [ClaimedEntries(*row) for row in fetch(batch.using, text, params)]
    if not claimed or claimed[0].count >= params["rows"]:
        return claimed
    own = f"subjects_{batch.code.key.kind}"
    text = batch.sql(__file__, "claim", subjects=own, **parts)
    return [ClaimedEntries(*row) for row in fetch(batch.using, text, params)]
