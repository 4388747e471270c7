"""The thread that tells subscribers what was purged, once a second; no purge waits for it."""

import atexit
import threading

from django.db import connections

from lifecycle.logs import Log
from lifecycle.policy.databases import served
from purge.outbox.deliver import deliver as tell
from purge.outbox.subscribers import subscribers

PATIENCE = 10.0  # seconds that a function may take at the end
INTERVAL, REST = 1.0, 10.0  # seconds: between looks, and after a failure

_threads: dict[str, threading.Thread] = {}
_lock = threading.Lock()
_over = threading.Event()

log = Log("purge")


def start() -> None:
    """Start this process's threads, one for each database, where there are subscribers.

    They end with the process. What a function was told that has not returned by then is told again.
    """
    for using in served() if subscribers() else ():
        with _lock:
            known = _threads.get(using)
            if known is None or not known.is_alive():
                name = f"purge-outbox-{using}"
                thread = threading.Thread(target=_run, args=(using,), name=name, daemon=True)
                _threads[using] = thread
                thread.start()
    if _threads:
        atexit.register(stop)  # once, however often it is said


def _run(using: str) -> None:
    wait = INTERVAL
    while not _over.wait(wait):
        wait = INTERVAL if step(using) else REST
    connections[using].close()


def stop() -> None:
    """At the end of the process: a function that is under way has some seconds to return."""
    _over.set()
    for thread in _threads.values():
        thread.join(PATIENCE)


def step(using: str, deadline: float | None = None) -> bool:
    """Tell what is due, no more after `deadline`; False, and logged, where the database fails."""
    try:
        tell(using, deadline)
        return True
    except Exception:
        log("deliveries_failed", f"{using}: nobody could be told", database=using)
        connections[using].close_if_unusable_or_obsolete()
        return False
