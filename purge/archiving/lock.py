"""One worker at a time archives for a policy, and finds out when it is the only one no more.

The lock is a session's. Where that session is cut (a failover, a firewall that forgets it during a
long upload), another worker takes over what this one is still at. So the session is asked before
each step that others could see: a worker that has lost it changes nothing any more.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from django.db import Error, connections

from lifecycle.db.connection import statement
from purge.archive.destinations import Destination
from purge.exceptions import ArchiveError


class LockLost(ArchiveError):
    """Another worker may have begun where this one is."""


@contextmanager
def alone(policy: str, using: str) -> Iterator[Callable[[], None] | None]:
    """A check that raises `LockLost`; None where another worker has the lock.

    The session is not that of the batches: those commit.
    """
    session = connections[using].copy()

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
            cursor.execute(statement(__file__, "alone"), {"policy": policy})
            (is_mine,) = cursor.fetchone()
        yield check if is_mine else None
    finally:
        session.close()


@dataclass(frozen=True)
class Guarded:
    """A destination to which only a worker that has the lock writes."""

    where: Destination
    check: Callable[[], None]

    @property
    def title(self) -> str:
        return self.where.title

    def names(self, prefix: str) -> Iterator[tuple[str, int]]:
        return self.where.names(prefix)

    def read(self, name: str) -> Iterator[bytes]:
        return self.where.read(name)

    def told(self, name: str) -> dict[str, str]:
        return self.where.told(name)

    def put(self, name: str, file: BinaryIO, told: dict[str, str]) -> None:
        self.check()
        self.where.put(name, file, told)

    def remove(self, name: str) -> None:
        self.check()
        self.where.remove(name)
