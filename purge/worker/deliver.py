"""The thread that tells subscribers what was purged, once a second; no purge waits for it."""

from threading import Event

from django.db import connections

from lifecycle.logs import Log
from lifecycle.policy.databases import served
from purge.outbox.deliver import deliver as tell
from purge.outbox.subscribers import subscribers
from purge.worker.threads import Threads

INTERVAL, REST = 1.0, 10.0  # seconds: between looks, and after a failure

log = Log("purge")


def start() -> None:
    """Start this process's threads, one for each database, where there are subscribers.

    They end with the process. What a function was told that has not returned by then is told again.
    """
    threads.start(served() if subscribers() else ())


def _run(using: str, over: Event) -> None:
    wait = INTERVAL
    while not over.wait(wait):
        wait = INTERVAL if step(using) else REST
    connections[using].close()


def step(using: str, deadline: float | None = None) -> bool:
    """Tell what is due, no more after `deadline`; False, and logged, where the database fails."""
    try:
        tell(using, deadline)
        return True
    except Exception:
        log("deliveries_failed", f"{using}: nobody could be told", database=using)
        connections[using].close_if_unusable_or_obsolete()
        return False


threads = Threads("purge-outbox", _run)
