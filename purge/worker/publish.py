"""The thread that seals and publishes the log of each database, once a second."""

from threading import Event

from lifecycle.conf import conf
from lifecycle.policy.databases import served
from purge.proof.work import Publisher
from purge.worker.threads import Threads

INTERVAL = 1.0  # seconds


def start() -> None:
    """Start this process's threads, one for each database, where the setting is on."""
    threads.start(served() if conf.PROOF else ())


def _run(using: str, over: Event) -> None:
    publisher = Publisher(using)
    while not over.wait(INTERVAL):
        publisher.step()
    publisher.leave()  # it says farewell: a worker that is missed is alarming


threads = Threads("purge-proof", _run)
