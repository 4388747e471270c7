"""The lock by which one worker at a time archives for a policy.

A session of its own holds it. Where that session is cut (a failover, a firewall that forgets it
during a long upload), another worker takes over. So the session is checked before each step that
others could see: a worker that has lost the lock changes nothing any more.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from django.db import Error, connections

from lifecycle.db.connection import statement
from lifecycle.db.policy_lock import archive_lock_name
from purge.archive.destinations import Destination
from purge.exceptions import ArchiveError


class LockLost(ArchiveError):
    """Another worker may have begun where this one is."""


@contextmanager
def archive_lock(policy: str, using: str) -> Iterator[Callable[[], None] | None]:
    """Hold the lock; gives a check that raises `LockLost`, or None where another worker has it.

    Not in the session of the batches, which commit.
    """
    session, name = connections[using].copy(), archive_lock_name(policy)

    def check() -> None:
        try:
            with session.cursor() as cursor:
                cursor.execute("SELECT 1")
        except Error as error:
            raise LockLost(
                f"The lock on archives of {policy} was lost; nothing is gone."
            ) from error

    try:
        session.set_autocommit(False)
        with session.cursor() as cursor:
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            cursor.execute(statement(__file__, "archive_lock"), {"name": name})
            (is_mine,) = cursor.fetchone()
        yield check if is_mine else None
    finally:
        session.close()


@dataclass(frozen=True)
class Guarded:
    """A destination that checks the lock before it changes anything."""

    where: Destination
    check: Callable[[], None]

    @property
    def title(self) -> str:
        return self.where.title

    def names(self, prefix: str) -> Iterator[tuple[str, int]]:
        return self.where.names(prefix)

    def read(self, name: str) -> Iterator[bytes]:
        return self.where.read(name)

    def metadata(self, name: str) -> dict[str, str]:
        return self.where.metadata(name)

    def put(self, name: str, file: BinaryIO, metadata: dict[str, str]) -> None:
        self.check()
        self.where.put(name, file, metadata)

    def remove(self, name: str) -> None:
        self.check()
        self.where.remove(name)
