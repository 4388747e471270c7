"""One batch: a short transaction that locks rows, looks at them in a later statement, and acts.

Deletes people's data. While a single statement waits for a lock, PostgreSQL checks only the
locked row again; a hold or a child committed meanwhile is not seen. So rows are locked first and
everything is evaluated in a statement that begins after the locks are held. Order of locks, as in
every path of this package: the policy (shared), agenda entries (never waited for), rows in key
order. A wait for a row ends after 300 ms, before PostgreSQL looks for deadlocks, so no transaction
of the host is ever the victim.
"""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.db import OperationalError, transaction
from psycopg import sql
from psycopg.types.json import Jsonb

from lifecycle.compile import compiled
from lifecycle.db import Placed, Raw, fetch, own_transaction, scalar, statement
from lifecycle.hours import is_open
from lifecycle.keys import label_of
from lifecycle.policy import Policy
from lifecycle.windows import counts_only

from . import brakes, rows
from .clock import check_clock
from .ending import keys_told
from .locking import STUBBORN, lock
from .look import look
from .outcome import Outcome
from .picked import Picked, pick
from .subjects import Subjects

if TYPE_CHECKING:
    from collections.abc import Callable

    from .archive.gate import Covered
    from .override import Override

    Gather = Callable[["Batch", Subjects], None]

ENOUGH = 0.5  # seconds after which a batch in trouble lists its other rows for the next one
ALWAYS = datetime(1, 1, 1, tzinfo=UTC)


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
    override: "Override | None" = None
    told: dict[str, Any] = field(default_factory=dict)  # what each event about rows says
    archive: "Covered | None" = None  # the archive that holds the rows that are being ended
    gather: "Gather | None" = None  # in the place of what is done with rows that may end
    along: dict[str, Any] = field(default_factory=dict)  # what went along with ended rows
    most: int | None = None  # rows that one transaction may delete, with what goes along
    picked: Picked = field(init=False)
    outcome: Outcome = field(default_factory=Outcome)
    started: float = field(default_factory=time.monotonic)
    contended: bool = False
    progressed: bool = False

    @property
    def patient(self) -> bool:
        """Whether this batch may wait for locks: once, for rows that were locked often before."""
        return self.picked.attempts >= STUBBORN and not self.contended

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
        return label_of(self.policy)

    def sql(self, name: str, **parts: Any) -> str:
        """A statement of this package with what every one of them names."""
        code = compiled(self.policy)
        parts |= {"kind": Placed(code.key.kind), "state_sql": Raw(self.state_sql)}
        parts |= {"table": code.tables[0], "column": Placed(self.column)}
        parts |= {"type": Placed(code.key.db_type)}
        return statement(__file__, name, **parts)

    def params(self, subjects: Subjects, **others: Any) -> dict[str, Any]:
        base = {"policy": self.policy.name, "model": self.label, "now": self.now, "run": self.run}
        return base | subjects.params | {"count": subjects.count} | others

    @property
    def column(self) -> str:
        """The key's column, quoted."""
        code = compiled(self.policy)
        return sql.Identifier(code.tables[0], code.key.column).as_string()

    def write(
        self, kind: str, subjects: Subjects, due: Any = None, settled: list[int] | None = None,
        identities: str = "NULL", **detail: Any,
    ) -> int:  # fmt: skip
        """Append an event about a set; the set itself only where no event holds it yet."""
        detail |= self.told if subjects.count else {}
        if counts_only(self.policy.model):
            subjects = Subjects(subjects.key, subjects.count)
        text = self.sql("write", subjects=subjects.composite(), identities=Placed(identities))
        event = {"kind": kind, "basis": subjects.event, "due": due, "settled": settled}
        params = self.params(subjects, **event, detail=Jsonb(detail))
        return int(scalar(self.using, text, params))


def run_batch(
    policy: Policy, using: str, run: int | None, size: int, since: Any = ALWAYS,
    seen: list[int] | None = None, any_hour: bool = False, gather: "Gather | None" = None,
) -> Outcome | None:  # fmt: skip
    """Settle one batch of at most `size` rows that are due; None when nothing is.

    With `seen` it is a dry run: the batch is taken back, and its entries are added to the list.
    Raises what brakes raise, and `TooMany`; then it has changed nothing.
    """
    with own_transaction(using):
        batch = begin(policy, using, run, seen is not None, any_hour)
        picked = pick(batch, size, since, seen or []) if batch else None
        if batch is None or picked is None:
            return None
        batch.picked, batch.gather = picked, gather
        batch.most = None if batch.dry else policy.batch_rows
        _settle(batch, size)
        if seen is not None:
            transaction.set_rollback(True, using=using)
            seen.extend(picked.entries)
        return batch.outcome


def begin(
    policy: Policy, using: str, run: int | None, dry: bool, any_hour: bool = False
) -> Batch | None:
    """The first statements of a batch; None while the policy may not act."""
    name = {"policy": policy.name}
    try:
        with transaction.atomic(using=using):
            fetch(using, statement(__file__, "prepare"), name)
    except OperationalError:
        return None  # a pause or a hold is being written; the next pulse sees it
    known = fetch(using, statement(__file__, "policy_now"), name)
    if not known or brakes.why_not(policy, known[0], any_hour):
        return None
    _, _, now, _, state_sql, _, clock = known[0]
    check_clock(clock, policy.name, using)
    return Batch(policy, using, run, now, dry, any_hour or is_open(policy, now), state_sql)


def _settle(batch: Batch, size: int) -> None:
    subjects = batch.picked.subjects
    if subjects.count > size:
        subjects = batch.picked.first(size)
    locked = lock(batch, subjects)
    if locked.count:
        judge(batch, locked)
    batch.picked.close()
    brakes.spend(batch)
    record(batch)


def record(batch: Batch) -> None:
    """Count what the batch did in its run."""
    if batch.run:
        params = {"run": batch.run, "now": batch.now, **batch.outcome.counts()}
        fetch(batch.using, batch.sql("record"), params)


def judge(batch: Batch, subjects: Subjects) -> None:
    """Look at locked rows and act; rows on which that fails are found by halving."""
    before = batch.outcome.copy()
    try:
        with transaction.atomic(using=batch.using):
            rows.act(batch, look(batch, subjects))
            batch.progressed = True
    except Exception as error:
        if not rows.is_of_one_row(error):
            raise
        batch.outcome = before
        if rows.is_contended(error):
            _wait_no_more(batch)
        _halve(batch, subjects, error)


def _wait_no_more(batch: Batch) -> None:
    """A transaction that waits for rows of this batch must not find it waiting a second later."""
    batch.contended = True
    fetch(batch.using, "SELECT set_config('lock_timeout', '1ms', true)")


def _halve(batch: Batch, subjects: Subjects, error: Exception) -> None:
    keys = keys_told(batch, subjects)
    if len(keys) == 1:
        batch.progressed = True
        rows.block(batch, subjects.written(keys), error)
    elif batch.progressed and time.monotonic() - batch.started > ENOUGH:
        rows.put_off(batch, subjects.written(keys), error)
    else:
        middle = len(keys) // 2
        for part in (keys[:middle], keys[middle:]):
            judge(batch, subjects.written(part))
