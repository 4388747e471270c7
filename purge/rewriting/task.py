"""The archives of one policy while this process alone may change them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from lifecycle.compiler.keys import label_of
from lifecycle.db.connection import scalar
from lifecycle.exceptions import LifecycleError
from lifecycle.policy.policy import Policy
from purge.archive.destinations import Destination, destination
from purge.archive.form import ArchiveForm
from purge.archiving.lock import Guarded, archive_lock
from purge.batch.brakes import why_stopped
from purge.erasure.refusals import refuse_held, stopped
from purge.rewriting.find import names_of
from purge.rewriting.tables import TableArchives

CHUNK = 10_000  # keys that are asked for holds at once


@dataclass(frozen=True)
class Task:
    """A policy, its database, the form of its archives; `check` raises where the lock was lost."""

    policy: Policy
    using: str
    form: ArchiveForm
    check: Callable[[], None]

    @cached_property
    def names(self) -> list[str]:
        """The policy's name, and those that it had before."""
        return names_of(self.policy, self.using)

    @property
    def label(self) -> str:
        """The ledger's name of the archived table."""
        return label_of(self.policy)

    @property
    def now(self) -> datetime:
        """The database's time."""
        found: datetime = scalar(self.using, "SELECT lifecycle.now_v1()")
        return found

    def refuse_stopped(self) -> None:
        """`LifecycleError` where nothing of the policy ends now: it is paused, held, halted."""
        refuse_held(self.using, self.policy.model, [], self.now)
        if why := why_stopped(self.policy, self.using, any_hour=True):
            raise LifecycleError(stopped(self.policy, why))

    def refuse_held(self, keys: list[str], subject: tuple[Any, str] | None = None) -> None:
        """`ErasureRefused` where an archived row, or the row of the erasure, is held."""
        for at in range(0, len(keys), CHUNK):
            refuse_held(self.using, self.policy.model, keys[at : at + CHUNK], self.now)
        if subject is not None:
            refuse_held(self.using, subject[0], [subject[1]], self.now)


@contextmanager
def alone(policy: Policy, using: str) -> Iterator[Task | None]:
    """The task of a policy; None where another process makes or rewrites its archives now."""
    with archive_lock(policy.name, using) as check:
        if check is None:
            yield None
        else:
            where = Guarded(destination(), check, True)
            yield Task(policy, using, form_of(policy, using, where), check)


def form_of(policy: Policy, using: str, where: Destination) -> ArchiveForm:
    """What does the work with a policy's archives, whether files or shown by a table."""
    return TableArchives(policy, using, where)
