"""What one batch knows while its transaction lasts."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from psycopg import sql
from psycopg.types.json import Jsonb

from lifecycle.compiler.keys import label_of
from lifecycle.compiler.policy_sql import compiled
from lifecycle.compiler.windows import counts_only
from lifecycle.db.connection import Placed, Raw, scalar, statement
from lifecycle.db.ties import Tie
from lifecycle.policy.policy import Policy
from purge.batch.outcome import Outcome
from purge.batch.subjects import Subjects

if TYPE_CHECKING:
    from collections.abc import Callable

    from purge.batch.override import Override

    CollectKeys = Callable[["Batch", Subjects], None]


class Covered(NamedTuple):
    """Rows that an archive holds: its name, how many rows it has, when it was verified."""

    archive: str
    rows: int
    verified: str
    number: int
    keys: str


BEGINNING = datetime(1, 1, 1, tzinfo=UTC)


class Source(Protocol):
    """Where a batch has its rows from: the agenda, windows, or what a person asked for."""

    subjects: Subjects
    entries: list[int]
    attempts: int
    relisted: bool
    oldest: int | None
    read: dict[str, Any]  # how the look reads a row's own end and grace
    acts: dict[str, Any]  # what is done with each class of rows

    @property
    def none_tombstoned(self) -> bool: ...
    def first(self, limit: int) -> Subjects: ...
    def tombstones(self) -> Placed: ...
    def tombstone_params(self) -> dict[str, Any]: ...
    def relist(
        self, subjects: Subjects, wait: timedelta, kind: str = "expiry_scheduled", **detail: Any
    ) -> None: ...
    def relist_locked(self, subjects: Subjects) -> None: ...
    def relist_at(
        self, subjects: Subjects, dues: str, why: str, tombstone: int | None = None
    ) -> None: ...
    def close(self) -> None: ...


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
    collect_keys: "CollectKeys | None" = None  # in the place of what is done with rows that may end
    along: dict[str, Any] = field(default_factory=dict)  # what went along with ended rows
    ties: dict[Any, list[Tie]] = field(default_factory=dict)  # by the model that ends
    most: int | None = None  # rows that one transaction may delete, with what goes along
    source: "Source" = field(init=False)
    outcome: Outcome = field(default_factory=Outcome)
    started: float = field(default_factory=time.monotonic)
    contended: bool = False
    progressed: bool = False

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
        return label_of(self.policy)

    def sql(self, module: str, name: str, **parts: Any) -> str:
        """A statement of a module with what every one of a batch names."""
        code = compiled(self.policy)
        parts |= {"kind": Placed(code.key.kind), "state_sql": Raw(self.state_sql)}
        parts |= {"table": code.tables[0], "column": Placed(self.column)}
        parts |= {"type": Placed(code.key.db_type)}
        return statement(module, name, **parts)

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
        text = self.sql(
            __file__, "write", subjects=subjects.composite(), identities=Placed(identities)
        )
        event = {"kind": kind, "basis": subjects.event, "due": due, "settled": settled}
        params = self.params(subjects, **event, detail=Jsonb(detail))
        return int(scalar(self.using, text, params))


STUBBORN = 3  # after so many attempts a locked row is waited for
