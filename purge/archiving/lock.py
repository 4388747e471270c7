"""The lock by which one worker at a time archives for a policy.

A session of its own holds it. Where that session is cut (a failover, a firewall that forgets it
during a long upload), another worker takes over. So the session is checked before each step that
others could see: a worker that has lost the lock changes nothing any more.

An open transaction with a row lock keeps VACUUM, in the whole database, from taking away what was
deleted since. So the lock is let go and taken anew after a minute; who is quicker then has it.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, BinaryIO

from django.db import Error, connections

from lifecycle.db.connection import statement
from lifecycle.db.policy_lock import archive_lock_name
from purge.archive.destinations import Destination, Unreachable
from purge.exceptions import ArchiveError

FRESH = 60.0  # seconds after which the lock is taken anew


class LockLost(ArchiveError):
    """Another worker may have begun where this one is."""


@contextmanager
def archive_lock(policy: str, using: str) -> Iterator[Callable[[], None] | None]:
    """Hold the lock; gives a check that raises `LockLost`, or None where another worker has it.

    Not in the session of the batches, which commit.
    """
    lock = _Lock(connections[using].copy(), policy)
    try:
        lock.session.set_autocommit(False)
        yield lock.check if lock.take() else None
    finally:
        lock.session.close()


class _Lock:
    def __init__(self, session: Any, policy: str) -> None:
        self.session, self.policy, self.taken = session, policy, 0.0

    def take(self) -> bool:
        """Take it in a new transaction; False where another worker has it."""
        self.session.commit()
        self.taken = time.monotonic()
        with self.session.cursor() as cursor:
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            cursor.execute(
                statement(__file__, "archive_lock"), {"name": archive_lock_name(self.policy)}
            )
            return bool(cursor.fetchone()[0])

    def check(self) -> None:
        """Raise `LockLost` where it is not held any more."""
        lost = LockLost(f"The lock on archives of {self.policy} was lost; nothing is gone.")
        try:
            if time.monotonic() - self.taken < FRESH:
                with self.session.cursor() as cursor:
                    cursor.execute("SELECT 1")
            elif not self.take():
                raise lost
        except Error as error:
            raise lost from error


@dataclass(frozen=True)
class Guarded:
    """A destination that checks the lock before it changes anything.

    `is_erased`: what is removed goes with every version, where the store lets it: the rows of an
    archive that never came to be are in no ledger, so that nobody would find them again.
    """

    where: Destination
    check: Callable[[], None]
    is_erased: bool = False

    @property
    def title(self) -> str:
        return self.where.title

    def url(self, name: str) -> str:
        return self.where.url(name)

    def names(self, prefix: str, after: str = "") -> Iterator[tuple[str, int]]:
        return self.where.names(prefix, after)

    def read(self, name: str) -> Iterator[bytes]:
        return self.where.read(name)

    def metadata(self, name: str) -> dict[str, str]:
        return self.where.metadata(name)

    def put(self, name: str, file: BinaryIO, metadata: dict[str, str]) -> None:
        self.check()
        self.where.put(name, file, metadata)

    def replace(self, name: str, body: bytes, before: bytes | None) -> None:
        self.check()
        self.where.replace(name, body, before)

    def remove(self, name: str) -> None:
        self.check()
        if self.is_erased:
            with suppress(Unreachable):  # locked, or without the right: hidden at least
                self.where.erase(name)
                return
        self.where.remove(name)

    def keeps(self, name: str) -> bool:
        return self.where.keeps(name)

    def kept(self, prefix: str) -> bool:
        return self.where.kept(prefix)

    def erase(self, name: str) -> None:
        self.check()
        self.where.erase(name)
