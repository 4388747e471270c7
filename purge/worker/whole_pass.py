"""One whole pass, for a site whose worker is not Huey: what pulse, heartbeat and tasks do there.

Two may run at once, as may any number of workers: rows that one has locked the other leaves.
"""

import time

from django.db import connections

from lifecycle.db.version import require
from lifecycle.ledger import segments
from lifecycle.logs import Log
from lifecycle.policy.databases import served
from purge.alerts import watch as alerts
from purge.batch.outcome import Outcome
from purge.passes.options import PassOptions
from purge.passes.runs import close_interrupted
from purge.plans.carry_out import carry_out_all
from purge.proof.work import publish_now
from purge.rewriting.work import erase_in_archives
from purge.runner import run_due
from purge.worker import deliver, notices
from purge.worker.asked import do_what_was_asked
from purge.worker.backfill import read_now

Done = dict[str, dict[str, dict[str, int]]]  # database -> policy -> counts of rows

log = Log("purge")


def run_all(seconds: float | None = None) -> Done:
    """A pass over each database; what was done, for those policies that had something due.

    Begins no batch after `seconds`, and leaves the rest on the agenda. An error, of a policy or of
    a database, stops only that one; it is logged, and raised when all others are done. Subscribers
    are told last of all, and notices sent: no purge waits for them.
    """
    deadline = None if seconds is None else time.monotonic() + seconds
    done: Done = {}
    errors: list[Exception] = []
    passed: list[str] = []
    for using in served():
        try:
            try:
                require(using)
                passed.append(using)
                done[using] = _run(PassOptions(using=using, deadline=deadline))
            finally:
                alerts.watch(using)
        except Exception as error:
            log("tick_failed", f"{using}: pass failed", database=using)
            connections[using].close_if_unusable_or_obsolete()
            errors.append(error)
    for using in passed:
        deliver.step(using, deadline)
        notices.step(using, deadline)
    if errors:
        raise errors[0]
    return done


def _run(options: PassOptions) -> dict[str, dict[str, int]]:
    using = options.using
    publish_now(using)
    before = segments.mark(using)
    close_interrupted(using)
    read_now(using)
    carry_out_all(using, options.deadline)
    in_archives = do_what_was_asked(using)
    done = {name or "(media)": _counts(outcome) for name, outcome in run_due(options).items()}
    if in_archives:
        erase_in_archives(using, options.deadline)
    if segments.is_written(before, using):
        segments.cover(before, using)
    return done


def _counts(outcome: Outcome) -> dict[str, int]:
    return {name: count for name, count in outcome.counts().items() if count}
