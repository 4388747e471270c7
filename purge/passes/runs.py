"""Runs: a row for each pass that found something."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import DEFAULT_DB_ALIAS

from lifecycle.db.connection import fetch, scalar, statement
from lifecycle.logs import Log
from purge.batch.brakes import is_other_version
from purge.batch.outcome import Outcome
from purge.models import Run

if TYPE_CHECKING:
    from purge.passes.options import PassOptions


SILENT = timedelta(minutes=10)  # longer than any batch: such a run is not there any more

log = Log("purge")


def close_interrupted(using: str = DEFAULT_DB_ALIAS) -> int:
    """Close the runs that a kill has left open; returns how many. Their counts are complete."""
    if is_other_version(using):
        return 0
    closed = fetch(using, statement(__file__, "interrupted"), {"silent": SILENT})
    if closed:
        log(
            "interrupted", f"{len(closed)} runs were interrupted", database=using, count=len(closed)
        )
    return len(closed)


def start(policy: str, how: "PassOptions") -> Run:
    """Open the run of a pass; a dry one is not stored."""
    now = scalar(how.using, "SELECT lifecycle.now_v1()")
    run = Run(policy=policy, started_at=now, last_batch_at=now, origin=how.origin)
    run.actor = how.actor
    if not how.dry:
        run.save(using=how.using)
    return run


def finish(run: Run, total: Outcome, how: "PassOptions", error: str = "") -> None:
    """Close the run, whose counts its batches have kept; one that found nothing leaves no row."""
    if run.pk is None:
        return
    if not any(total.counts().values()) and not error and not run.error:
        run.delete(using=how.using)
        return
    run.finished_at = scalar(how.using, "SELECT lifecycle.now_v1()")
    run.error = error or run.error
    run.save(using=how.using, update_fields=["finished_at", "error"])
    counts = total.counts()
    done = ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "nothing"
    told: dict[str, Any] = {"policy": run.policy, "database": how.using, "run": run.pk}
    log("run", f"{run.policy}: {done}", **told, **counts)
