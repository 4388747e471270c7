"""Read chunks of a backfill in slices of the worker's time, and log its end and failures."""

import time

from lifecycle.backfill.progress import Step, progress, reconcile, step, waiting
from lifecycle.logs import Log
from lifecycle.policy.policy import Policy

SLICE = 1.0  # seconds; then the worker is free for what is due
BY_COMMAND = 5.0  # seconds of `manage.py purge` for each policy, without pauses
PREFIX = "backfill "  # before a policy's name, in `purge.worker.memory`

log = Log("purge")


def read_slice(policy: Policy, using: str) -> None:
    """Read chunk after chunk at the stated pace, for a second."""
    deadline = time.monotonic() + SLICE
    try:
        while (done := step(policy, using)) and not _note_end(policy, using, done):
            if time.monotonic() + done.pause >= deadline:
                return
            time.sleep(done.pause)
    except Exception:
        _log_failure(policy, using)
        raise


def read_now(using: str, only: str | None = None) -> dict[str, str]:
    """For a site without a worker: some seconds for each table; the progress of each, in words.

    An error is logged, and stops no other table.
    """
    reached = {}
    reconcile(using)
    for policy in (p for p in waiting(using, hurried=True) if only in (None, p.name)):
        try:
            _read_for(BY_COMMAND, policy, using)
            reached[policy.name] = str(progress(policy, using))
        except Exception:
            _log_failure(policy, using)
    return reached


def _read_for(seconds: float, policy: Policy, using: str) -> None:
    deadline = time.monotonic() + seconds
    while done := step(policy, using, hurried=True):
        if _note_end(policy, using, done) or time.monotonic() >= deadline:
            return


def _log_failure(policy: Policy, using: str) -> None:
    text = f"{policy.name}: its table cannot be read"
    log("backfill_failed", text, policy=policy.name, database=using)


def _note_end(policy: Policy, using: str, done: Step) -> bool:
    if done.finished and (whole := progress(policy, using)):
        log(
            "backfill", f"{policy.name}: {whole.read} rows read, {whole.listed} listed",
            policy=policy.name, database=using, why=whole.why, read=whole.read,
            listed=whole.listed, failed=whole.failed,
        )  # fmt: skip
    return done.finished
