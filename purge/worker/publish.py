"""The thread that seals and publishes the log of each database, once a second."""

import atexit
import threading

from lifecycle.conf import conf
from lifecycle.policy.databases import served
from purge.proof.work import Publisher

INTERVAL = 1.0  # seconds
PATIENCE = 10.0  # seconds that a store may take at the end

_threads: dict[str, threading.Thread] = {}
_lock = threading.Lock()
_over = threading.Event()


def start() -> None:
    """Start this process's threads, one for each database, where the setting is on."""
    for using in served() if conf.PROOF else ():
        with _lock:
            known = _threads.get(using)
            if known is None or not known.is_alive():
                name = f"purge-proof-{using}"
                thread = threading.Thread(target=_run, args=(using,), name=name, daemon=True)
                _threads[using] = thread
                thread.start()
    if _threads:
        atexit.register(stop)  # once, however often it is said


def _run(using: str) -> None:
    publisher = Publisher(using)
    while not _over.wait(INTERVAL):
        publisher.step()
    publisher.leave()


def stop() -> None:
    """At the end of the process: have each thread finish its step and say farewell."""
    _over.set()
    for thread in _threads.values():
        thread.join(PATIENCE)
