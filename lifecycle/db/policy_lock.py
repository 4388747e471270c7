"""The locks of policies: rows of a table that no stranger may lock, and who has them.

A batch shares the lock of its policy; who changes the policy has it alone. Locks of the database
that need no right (advisory ones) would let any session that may connect stop all policies.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from django.db import OperationalError, transaction

from lifecycle.db.connection import LOCK_NOT_AVAILABLE, fetch, sqlstate, statement
from lifecycle.db.table_lock import lock_timeout
from lifecycle.exceptions import Busy
from lifecycle.phrases import phrase

LONGEST = 30.0  # seconds that a hold or a migration waits for the batches under way
LOCKS, POLICIES = "lifecycle_lock", "lifecycle_policy"


class Holder(NamedTuple):
    """A session that has a row locked, as far as the asking role may know."""

    pid: int
    user: str
    program: str
    since: str | None

    def __str__(self) -> str:
        since = f" since {self.since}" if self.since else ""
        return f"process {self.pid} ({self.program or 'no name'}, user {self.user}){since}"


def archive_lock_name(policy: str) -> str:
    """The lock by which one worker at a time archives for a policy, or drops its partitions."""
    return f"archive {policy}"


def make_locks(policies: Iterable[str], using: str) -> None:
    """Make the rows of the locks; whoever needs one that is missing makes it too."""
    names = ["", *(name for each in policies for name in (each, archive_lock_name(each)))]
    fetch(using, statement(__file__, "make_locks"), {"names": names})


def take_lock(policy: str, using: str, seconds: float = LONGEST) -> None:
    """Have a policy's lock alone to the end of the transaction; `Busy` names who may have it."""
    what = phrase("The lock of the media")
    if policy:
        what = phrase("The lock of %(policy)s", policy=policy)
    with named_holders(what, LOCKS, using, seconds):
        fetch(using, statement(__file__, "take_lock"), {"name": policy})


@contextmanager
def named_holders(what: str, table: str, using: str, seconds: float) -> Iterator[None]:
    """Wait so long for each lock inside; `Busy` says who may have one that did not come."""
    try:
        with transaction.atomic(using=using), lock_timeout(seconds, using):
            yield
    except OperationalError as error:
        if sqlstate(error) != LOCK_NOT_AVAILABLE:
            raise
        found = "; ".join(map(str, holders(using, table)))
        who = found or phrase("a session that is gone now")
        text = phrase(
            "%(what)s is taken. Who has or wants such locks: %(who)s.", what=what, who=who
        )
        raise Busy(text) from error


def holders(using: str, table: str = LOCKS) -> list[Holder]:
    """Sessions that lock rows of a table now, or wait to; PostgreSQL does not say which rows."""
    return [
        Holder(*row) for row in fetch(using, statement(__file__, "holders"), {"tables": [table]})
    ]
