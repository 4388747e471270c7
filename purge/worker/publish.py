"""The thread that seals and publishes the log of each database, once a second."""

import threading

from lifecycle.conf import conf
from lifecycle.policy.databases import served
from purge.proof.work import Publisher

INTERVAL = 1.0  # seconds

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


def _run(using: str) -> None:
    publisher = Publisher(using)
    while not _over.wait(INTERVAL):
        publisher.step()
