"""Runs: a row for each pass that found something; and what a brake does to the policy of one."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import DEFAULT_DB_ALIAS, connections, transaction

from lifecycle.compiler.keys import label_of
from lifecycle.db.connection import fetch, scalar, statement
from lifecycle.logs import Log
from lifecycle.policy.policy import Policy
from purge.alerts import watch as alerts
from purge.batch.brakes import is_other_version
from purge.batch.outcome import Outcome
from purge.exceptions import Halt
from purge.models import Alert, Run
from purge.passes.options import PassOptions

SILENT = timedelta(minutes=10)  # longer than any batch: such a run is not there any more

log = Log("purge")


@contextmanager
def recorded(policy: Policy, options: PassOptions, total: Outcome) -> Iterator[Run]:
    """The run of a pass over a policy, closed at the end of the block whatever becomes of it.

    A brake's `Halt` ends here: the policy is halted, and `total` says so. Other errors go on.
    """
    run = start(policy.name, options)
    try:
        yield run
    except Halt as error:
        halt(policy, error, options, run)
        total.stopped, total.halted = f"halted: {error}", True
    except Exception as error:
        connections[options.using].close_if_unusable_or_obsolete()
        finish(run, total, options, type(error).__name__)
        raise
    finish(run, total, options)


def start(policy: str, options: PassOptions) -> Run:
    """Open the run of a pass; a dry one is not stored."""
    now = scalar(options.using, "SELECT lifecycle.now_v1()")
    run = Run(policy=policy, started_at=now, last_batch_at=now, origin=options.origin)
    run.actor = options.actor
    if not options.dry:
        run.save(using=options.using)
    return run


def finish(run: Run, total: Outcome, options: PassOptions, error: str = "") -> None:
    """Close the run of a policy, whose counts its batches have stored."""
    counts = total.counts()
    if not close(run, options.using, any(counts.values()), error):
        return
    done = ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "nothing"
    named = {"policy": run.policy, "database": options.using, "run": run.pk}
    log("run", f"{run.policy}: {done}", **named, **counts)


def close(run: Run, using: str, has_found: bool, error: str = "") -> bool:
    """Close a run; one that found nothing and met no error is deleted. Returns whether it stays."""
    if run.pk is None:
        return False
    run.error = error or run.error
    if not has_found and not run.error:
        run.delete(using=using)
        return False
    run.finished_at = scalar(using, "SELECT lifecycle.now_v1()")
    run.save(using=using, update_fields=["finished_at", "error"])
    return True


def halt(policy: Policy, why: Halt, options: PassOptions, run: Run) -> None:
    """Stop a policy until a named person resumes it, and tell the site's admins.

    One halt for a policy, whichever worker comes first; nothing where a person has stopped it, nor
    in a dry run.
    """
    run.error = f"halted: {why.cause}"
    if options.dry:
        return
    with transaction.atomic(using=options.using):
        params = {"policy": policy.name, "cause": why.cause, "run": run.pk}
        halted = fetch(options.using, statement(__file__, "halt"), params)
        if halted:
            _open_alert(policy, why, options.using, run, halted[0][0])
    if not halted:
        return
    named = {"policy": policy.name, "database": options.using, "model": label_of(policy)}
    text = f"{policy.name}: halted: {why}"
    log("halted", text, **named, cause=why.cause, run=run.pk, event=halted[0][0])
    alerts.notify(options.using)


def _open_alert(policy: Policy, why: Halt, using: str, run: Run, event: int) -> None:
    """In the transaction that halts: the mail of a worker killed right after it another sends."""
    fetch(using, statement(__file__, "end_alerts"), {"policy": policy.name})
    alert = {"policy": policy.name, "model": label_of(policy), "cause": why.cause, "count": 0}
    kind = Alert.Kind.HALTED
    alerts.open_alert(using, **alert, kind=kind, event=event, summary=str(why), run=run.pk)


def close_interrupted(using: str = DEFAULT_DB_ALIAS) -> int:
    """Close the runs that a kill has left open; returns how many. Their counts are complete."""
    if is_other_version(using):
        return 0
    closed = len(fetch(using, statement(__file__, "interrupted"), {"silent": SILENT}))
    if closed:
        log("interrupted", f"{closed} runs were interrupted", database=using, count=closed)
    return closed
