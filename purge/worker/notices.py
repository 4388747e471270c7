"""The thread that warns by mail of ends to come; no purge waits for it but those of its rows."""

from threading import Event

from django.db import connections

from lifecycle.logs import Log
from lifecycle.policy.databases import served
from lifecycle.policy.registry import all_policies
from purge.notices.send import send_due
from purge.worker.threads import Threads

INTERVAL = 60.0  # seconds between looks: a notice is a matter of days

log = Log("purge")


def start() -> None:
    """Start this process's threads, one for each database, where some policy gives notices."""
    threads.start(served() if any(each.notice for each in all_policies()) else ())


def _run(using: str, over: Event) -> None:
    while not over.wait(INTERVAL):
        step(using, over=over)
    connections[using].close()


def step(using: str, deadline: float | None = None, over: Event | None = None) -> None:
    """Send what is due, no more after `deadline` or once it is `over`; a failure is logged."""
    if not any(each.notice for each in all_policies()):
        return
    try:
        send_due(using, deadline, over)
    except Exception:
        log("notices_failed", f"{using}: no notice could be sent", database=using)
        connections[using].close_if_unusable_or_obsolete()


threads = Threads("purge-notices", _run)
