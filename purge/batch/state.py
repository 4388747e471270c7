"""What one batch knows while its transaction lasts; it tells the ledger by `Batch.write`, and
receivers by `send`."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from django.db import transaction
from psycopg.types.json import Jsonb

from lifecycle.compiler.keys import label_of
from lifecycle.compiler.policy_sql import Compiled, compiled
from lifecycle.compiler.windows import counts_only
from lifecycle.db.connection import Placed, Query, Raw, fetch, scalar, statement
from lifecycle.db.ties import Tie
from lifecycle.policy.policy import Policy
from purge.batch.cascade.python_keys import as_python
from purge.batch.cascade.written import Epoch
from purge.batch.outcome import Outcome
from purge.batch.subjects import Subjects

BEGINNING = datetime(1, 1, 1, tzinfo=UTC)
STUBBORN = 3  # attempts after which a locked row is waited for


@dataclass(frozen=True)
class CoveringArchive:
    """A verified archive and those rows of a batch that it holds: how many, their keys."""

    name: str
    rows: int  # in all of it
    verified: str
    manifest: str  # SHA-256 of its manifest, which has that of each file
    snapshot: str | None  # that shows its rows in a table
    count: int
    keys: str


class Source(Protocol):
    """The rows of one batch, and what becomes of those that stay.

    Agenda entries, the rows of windows, or what a person asked for; made in the transaction.

    subjects         the rows; locked after they were claimed
    entries          the numbers of the agenda entries that list them, as an array's text
    attempts         how often they were tried before
    relisted         whether an entry lists rows again, which may have a tombstone elsewhere
    searches         whether tombstones under other entries count from the first
    only_tombstones  whether none of the rows can be deleted in this batch
    tombstones       the SQL join that gives each row its tombstone, with `tombstone_params`
    expressions      the SQL by which a row's end, its grace and what keeps it are read
    acts             what is done with each class of rows, by the verdict's name
    """

    subjects: Subjects
    entries: str
    attempts: int
    relisted: bool
    searches: bool
    only_tombstones: bool
    tombstones: Placed
    tombstone_params: dict[str, Any]
    expressions: dict[str, Any]
    acts: dict[str, Any]

    def relist(
        self, subjects: Subjects, wait: timedelta, kind: str = "expiry_scheduled", **detail: Any
    ) -> None:
        """List rows again after a while."""

    def relist_locked(self, subjects: Subjects) -> None:
        """List rows again that somebody else has locked."""

    def closing(self) -> list[Query]:
        """What takes off the agenda that which is done with; after the last row of the batch."""

    def committed(self) -> None:
        """Remember how far the pass has come; after the transaction."""


CollectKeys = Callable[["Batch", Subjects], None]


@dataclass
class Batch:
    """What one batch of one policy knows while its transaction lasts."""

    policy: Policy
    using: str
    run: int | None
    now: datetime
    dry: bool
    open: bool  # whether rows may be purged and updated at this hour
    state_sql: str
    detail: dict[str, Any] = field(default_factory=dict)  # of each event about rows
    erasure: int | None = None  # the event of the request, where a row is erased on request
    grace_skipped: bool = False  # whether rows end without the rest of their grace
    archive: CoveringArchive | None = None  # the archive that holds the rows that are being ended
    collect_keys: CollectKeys | None = None  # in the place of what is done with rows that may end
    cascaded: dict[str, Any] = field(default_factory=dict)  # what went along with ended rows
    planned_at: Epoch | None = None  # rows that go along must not have been written since
    keyed: set[Any] = field(default_factory=set)  # models of which rows went along by their keys
    ties: dict[Any, list[Tie]] = field(default_factory=dict)  # by the model that ends
    most: int | None = None  # rows that one transaction may delete, with what goes along
    code: Compiled = field(init=False)  # the policy as SQL
    declared: Policy = field(init=False)  # the policy by whose SQL rows are read: see `Override`
    source: Source = field(init=False)
    outcome: Outcome = field(default_factory=Outcome)
    started: float = field(default_factory=time.monotonic)
    contended: bool = False
    progressed: bool = False
    begun: bool = False  # whether the savepoint of rows that go at once is open

    def __post_init__(self) -> None:
        self.code, self.declared = compiled(self.policy), self.policy

    @property
    def patient(self) -> bool:
        """Whether this batch may wait for locks: once, for rows that were locked often before."""
        return self.source.attempts >= STUBBORN and not self.contended

    @property
    def wait(self) -> str:
        """How long it waits for a lock, as PostgreSQL reads it."""
        return "1ms" if self.contended else "300ms"

    @property
    def ending(self) -> str:
        """The kind of event of rows that this batch deletes."""
        return "purged"

    @property
    def by(self) -> str:
        """The policy that their event names."""
        return self.policy.name

    @property
    def label(self) -> str:
        """The model's label, as the ledger writes it."""
        return label_of(self.policy)

    @property
    def column(self) -> str:
        """The key's column, quoted."""
        return self.code.key_column

    @property
    def own_key(self) -> str:
        """SQL: the key as the ledger writes it."""
        return self.code.key.stored(self.column)

    @property
    def event_detail(self) -> dict[str, Any]:
        """The detail of each event about rows at this moment."""
        archive = {"archive": self.archive.name} if self.archive else {}
        return self.detail | archive | ({"grace_skipped": True} if self.grace_skipped else {})

    def sql(self, module: str, name: str, **parts: Any) -> str:
        """A statement of a module; `{kind}`, `{state_sql}`, `{table}`, `{column}` and `{type}` of
        the key are filled in every one; `{own_key}` and `{stored_key}` are the column, and a column
        `key` of its type, as the ledger writes them."""
        parts |= {"kind": Placed(self.code.key.kind), "state_sql": Raw(self.state_sql)}
        parts |= {"table": self.code.tables[0], "column": Placed(self.column)}
        parts |= {"type": Placed(self.code.key.cast), "own_key": Placed(self.own_key)}
        parts |= {"stored_key": Placed(self.code.key.stored("key"))}
        return statement(module, name, **parts)

    def params(self, subjects: Subjects, **others: Any) -> dict[str, Any]:
        """The parameters that most statements about rows name."""
        base = {"policy": self.policy.name, "model": self.label, "now": self.now, "run": self.run}
        return base | subjects.params | {"count": subjects.count} | others

    def keys(self, count: int, keys: str | None) -> Subjects:
        """A set of keys of this table, written out as PostgreSQL writes an array."""
        return Subjects(self.code.key, count, keys=keys)

    @property
    def nobody(self) -> Subjects:
        """The set of no rows: of an event about a window or about entries."""
        return Subjects(self.code.key, 0)

    def write(
        self, kind: str, subjects: Subjects, due: Any = None,
        settled: list[int] | str | None = None, identities: str = "NULL", **detail: Any,
    ) -> int:  # fmt: skip
        """Append an event with the batch's own detail, where it is about rows; returns its number.

        The set itself is written only where no event holds it yet.
        """
        if subjects.count:
            detail |= self.event_detail
        return self.append(kind, subjects, detail, due, settled, identities)

    def append(
        self, kind: str, subjects: Subjects, detail: dict[str, Any], due: Any = None,
        settled: list[int] | str | None = None, identities: str = "NULL",
    ) -> int:  # fmt: skip
        """As `write`, with no other detail than this."""
        query = self.appending(kind, subjects, detail, due, settled, identities)
        return int(scalar(self.using, *query))

    def appending(
        self, kind: str, subjects: Subjects, detail: dict[str, Any], due: Any = None,
        settled: list[int] | str | None = None, identities: str = "NULL",
    ) -> Query:  # fmt: skip
        """The statement of `append`, which gives the event's number."""
        if counts_only(self.policy.model):
            subjects = Subjects(subjects.key, subjects.count)
        parts = {"subjects": subjects.composite(), "identities": Placed(identities)}
        event = {"kind": kind, "basis": subjects.event, "due": due, "settled": settled}
        params = self.params(subjects, **event, detail=Jsonb(detail))
        return Query(self.sql(__file__, "write", **parts), params)


def stored_keys(batch: Batch, subjects: Subjects) -> list[Any]:
    """The keys in order, as the ledger writes them: an `inet` has its mask there."""
    return _keys(batch, subjects, Placed(batch.own_key))


def keys_of(batch: Batch, subjects: Subjects) -> list[Any]:
    """The keys as Python values, in order; only for the few rows that need it."""
    model: Any = batch.policy.model._meta.concrete_model
    return as_python(model, _keys(batch, subjects, Placed(batch.column)), batch.using)


def _keys(batch: Batch, subjects: Subjects, key: Placed) -> list[Any]:
    text = batch.sql(__file__, "locked_keys", key=key, rows=subjects.where(batch.column))
    return [key for (key,) in fetch(batch.using, text, batch.params(subjects))]


def latest_event(using: str) -> int:
    """The ledger's latest number now."""
    return int(scalar(using, statement(__file__, "latest_event")))


def send(batch: Batch, signal: Any, events: list[int], count: int) -> None:
    """Tell receivers of a signal, when the batch has committed; a dry run tells nobody."""
    named = {"policy": batch.policy.name, "events": events, "count": count}
    if not batch.dry:
        transaction.on_commit(
            lambda: signal.send_robust(batch.policy.model, **named), batch.using, robust=True
        )
