"""Rows whose end was another one when the database was lost than the columns of the backup say.

What the site writes into its rows is lost with a restore; when they end the ledger still knows. A
row that ended later, or not at all, must not end by its older columns: it is restored until then,
or until somebody says otherwise. That rows end later now than they were to, or no more, is told.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import DatabaseError, OperationalError, transaction

from lifecycle.compiler.keys import label_of, subjects_of
from lifecycle.compiler.partitions import is_partitioned
from lifecycle.compiler.policy_sql import compiled
from lifecycle.compiler.windows import is_windowed
from lifecycle.db.connection import Placed, Raw, fetch, own_transaction, scalar, statement
from lifecycle.exceptions import LifecycleError
from lifecycle.ledger.context import context
from lifecycle.ledger.loaded import lock_keys
from lifecycle.ledger.row_names import row_name
from lifecycle.models import PolicyState
from lifecycle.policy.policy import Policy
from lifecycle.promises.rows import policies_in
from purge.batch.failures import halves, is_contended, is_of_one_row
from purge.batch.subjects import without_loops
from purge.replay.model import Recovered
from purge.replay.search import keys_of_owner

CAUSE = "recovery"
#: What people are told of each.
SAID = {
    "later": "had a later end than the backup has: they are live until then",
    "never": "had no end any more, or an unknown one: they are live until somebody decides",
    "kept": "were kept, and are not by what the backup has: they are live until somebody decides",
    "sooner": "had an earlier end than the backup has: they end later than they were to",
    "endless": "had an end, and have none by what the backup has",
}
PAGE, SHOWN = 10_000, 1_000  # rows of a transaction, and of a report
TRIES = 5  # of a page that is locked


@dataclass(frozen=True)
class LostEnds:
    """So many rows of a policy of which the published log says another end than their columns."""

    model: str
    policy: str
    says: str
    rows: int


@dataclass(frozen=True)
class LostEnd:
    """One of them: the event that says so, and the end that it gives."""

    name: str
    policy: str
    event: int
    says: str
    ends: Any


@dataclass
class Ends:
    """What was found, and how many rows were restored now; the first `SHOWN` are named."""

    counts: list[LostEnds] = field(default_factory=list)
    rows: list[LostEnd] = field(default_factory=list)
    spared: int = 0


def refuse_undeclared(using: str) -> None:
    """Raise `LifecycleError` where a policy of the code is not in a database that is older."""
    known = PolicyState.objects.using(using).values_list("name", flat=True)
    names = sorted({policy.name for policy in policies_in(using)} - {*known})
    if names:
        are = "is" if len(names) == 1 else "are"
        raise LifecycleError(f"{', '.join(names)} {are} not in this database: `manage.py migrate`.")


def lost_ends(using: str, recovered: Recovered) -> Ends:
    """Find them; changes nothing."""
    return _each(using, recovered, None)


def spare(using: str, recovered: Recovered, actor: str) -> Ends:
    """Restore those that would end too soon; a second time does nothing.

    A transaction is a page of rows. Rows of policies by windows are not asked for: of them the
    ledger does not know when each ends.
    """
    return _each(using, recovered, actor)


def _said_by(using: str, actor: str | None) -> AbstractContextManager[None]:
    return context(actor=actor or "", cause=CAUSE, using=using)


def _each(using: str, recovered: Recovered, actor: str | None) -> Ends:
    found = Ends()
    tables = {label for (label,) in fetch(using, statement(__file__, "tables"), vars(recovered))}
    for policy in policies_in(using):
        if label_of(policy) in tables and not (
            policy.on_request or is_windowed(policy) or is_partitioned(policy)
        ):
            with _last_words(using, policy, recovered):
                _Asking(using, policy, recovered.top, found, actor).run()
    return found


@contextmanager
def _last_words(using: str, policy: Policy, recovered: Recovered) -> Iterator[None]:
    """The session's table of what was last published of each row of a policy."""
    kind = compiled(policy).key.kind
    text = statement(__file__, "gather", keys_of_owner=keys_of_owner(kind))
    names = fetch(using, "SELECT lifecycle.names_v1(%(policy)s)", {"policy": policy.name})
    params = vars(recovered) | {"policy": policy.name, "model": label_of(policy)}
    params["names"] = [name for (name,) in names]
    with own_transaction(using), without_loops(using):
        fetch(using, statement(__file__, "drop"))
        fetch(using, statement(__file__, "make"))
        fetch(using, text, params)
    yield
    fetch(using, statement(__file__, "drop"))


@dataclass
class _Asking:
    """One policy's rows, page by page; `actor`: who has those restored that would end too soon."""

    using: str
    policy: Policy
    top: int  # the highest number that was published
    found: Ends
    actor: str | None

    def run(self) -> None:
        after = 0
        while page := fetch(
            self.using, statement(__file__, "page"), {"after": after, "limit": PAGE}
        ):
            after, keys = page[0]
            self._once_more(keys)
        self._count()

    def _once_more(self, keys: list[str]) -> None:
        """A page in one transaction, again where writers have its locks in another order."""
        for left in reversed(range(TRIES)):
            try:
                with own_transaction(self.using), _said_by(self.using, self.actor):
                    self._page(keys)
                return
            except OperationalError as error:
                if not (left and is_contended(error)):
                    raise

    def _page(self, keys: list[str]) -> None:
        if self.actor is not None:
            lock_keys(self.policy.model, keys, self.using)
        self._judge(keys)
        if self.actor is not None:
            self._spare(keys)

    def _judge(self, keys: list[str]) -> None:
        """Rows whose expression fails are left: the worker cannot end them either."""
        try:
            with transaction.atomic(using=self.using):
                fetch(self.using, self._sql("judge"), self._params(keys))
        except DatabaseError as error:
            if is_contended(error) or not is_of_one_row(error):
                raise
            for part in halves(keys) if len(keys) > 1 else ():
                self._judge(part)

    def _spare(self, keys: list[str]) -> None:
        restored = fetch(self.using, self._sql("spare"), self._params(keys))
        self.found.spared += sum(count for count, _ in restored)

    def _count(self) -> None:
        policy, label = self.policy, label_of(self.policy)
        for says, rows in fetch(self.using, statement(__file__, "totals")):
            self.found.counts.append(LostEnds(label, policy.name, says, rows))
        params = {"limit": SHOWN - len(self.found.rows)}
        for key, *said in fetch(self.using, statement(__file__, "differing"), params):
            self.found.rows.append(LostEnd(row_name(policy.model, key), policy.name, *said))

    def _sql(self, name: str) -> str:
        code = compiled(self.policy)
        keys = subjects_of(code.key, f"array_agg(undecided.key::{code.key.kind})")
        parts = {
            "state_sql": Raw(code.state_sql), "state_key": Placed(code.key.text("lc_s.key")),
            "type": Placed(code.key.cast), "subjects": Placed(keys),
        }  # fmt: skip
        return statement(__file__, name, **parts)

    def _params(self, keys: list[str]) -> dict[str, Any]:
        return {
            "keys": keys, "policy": self.policy.name, "model": label_of(self.policy),
            "resolution": self.policy.resolution, "top": self.top,
            "now": scalar(self.using, "SELECT lifecycle.now_v1()"),
        }  # fmt: skip
