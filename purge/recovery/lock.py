"""One recovery at a time, beside nobody who writes, unless that is wanted.

A session of its own holds the lock as long as the recovery lasts: where the process is killed, the
lock is gone with it.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connections

from lifecycle.db.connection import fetch, statement
from lifecycle.exceptions import LifecycleError

NAME = "recovery"


@contextmanager
def alone(using: str, online: bool) -> Iterator[None]:
    """Hold the lock; `LifecycleError` where another recovery has it, or other sessions are here.

    `online`: other sessions may be.
    """
    session = connections[using].copy()
    try:
        session.set_autocommit(False)
        with session.cursor() as cursor:
            for _ in range(2):  # the first makes the row
                session.commit()
                cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
                cursor.execute(statement(__file__, "lock"), {"name": NAME})
                (taken,) = cursor.fetchone()
            cursor.execute("SELECT pg_backend_pid()")
            (own,) = cursor.fetchone()
        if not taken:
            raise LifecycleError("Another recovery of this database is under way.")
        if not online:
            _refuse_others(using, own)
        yield
    finally:
        session.close()


def _refuse_others(using: str, own: int) -> None:
    found = fetch(using, statement(__file__, "others"), {"own": own})
    if found:
        who = ", ".join(f"process {pid} (user {user})" for pid, user in found[:5])
        text = f"{len(found)} other sessions use this database: {who}"
        raise LifecycleError(f"{text}. Stop them, or say --online.")
