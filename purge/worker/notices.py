"""The thread that warns by mail of ends to come; no purge waits for it but those of its rows."""

import time
from collections.abc import Callable
from functools import partial
from threading import Event

from django.db import connections

from lifecycle.logs import Log
from lifecycle.policy.databases import served
from lifecycle.policy.registry import all_policies
from purge.notices.send import find_wanted, send_due, send_found
from purge.worker.threads import Threads

INTERVAL = 60.0  # seconds between looks: a notice is a matter of days
SHARE = 20  # where many rows end soon: a look takes no more than one part of so many of the time

log = Log("purge")


def start() -> None:
    """Start this process's threads, one for each database, where some policy gives notices."""
    threads.start(served() if any(each.notice for each in all_policies()) else ())


def _run(using: str, over: Event) -> None:
    look_at = time.monotonic()
    while not over.wait(INTERVAL):
        began = time.monotonic()
        if began >= look_at:
            _try(using, partial(find_wanted, using))
            look_at = began + SHARE * (time.monotonic() - began)
        _try(using, partial(send_found, using, over=over))
        # Idle until the next look, somebody may end it, and no look would succeed any more.
        connections[using].close()


def step(using: str, deadline: float | None = None) -> None:
    """Send what is due, no more after `deadline`; a failure is logged."""
    if any(each.notice for each in all_policies()):
        _try(using, partial(send_due, using, deadline))


def _try(using: str, what: Callable[[], object]) -> None:
    try:
        what()
    except Exception:
        log("notices_failed", f"{using}: no notice could be sent", database=using)
        connections[using].close_if_unusable_or_obsolete()


threads = Threads("purge-notices", _run)
