"""Huey's clock: the heartbeat, and the start of the pulse in each consumer."""

from huey import crontab
from huey.contrib.djhuey import HUEY, db_periodic_task

from lifecycle.ledger import segments
from lifecycle.logs import Log
from lifecycle.policy.databases import served
from purge.alerts import watch as alerts
from purge.passes.runs import close_interrupted
from purge.unlisted import list_over
from purge.worker import deliver, notices, publish, pulse
from purge.worker.asked import do_what_was_asked
from purge.worker.jobs import move_slice, wake_for_archives
from purge.worker.keepalive import keep_alive

log = Log("purge")


@db_periodic_task(crontab(minute="*"))
def heartbeat() -> None:
    """Everything due, from the start: finds what the pulse may not have seen."""
    for using in served():
        try:
            close_interrupted(using)
            move_slice(using)
            list_over(using)
            pulse.tick(using, heartbeat=True)
            pulse.tick_backfill(using, heartbeat=True)
            if do_what_was_asked(using):
                wake_for_archives(using)
            segments.cover_marked(using)
        except Exception:
            # The other databases have theirs all the same.
            log("heartbeat_failed", f"{using}: heartbeat failed", database=using)
        alerts.watch(using)


@HUEY.on_startup()
def start_pulse() -> None:
    """Each worker calls this; its process has one pulse for each database."""
    keep_alive(served())
    pulse.start()
    publish.start()
    deliver.start()
    notices.start()
