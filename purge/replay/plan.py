"""Replay the ledger onto a restored database: end again what had ended and a backup brought back.

    find      rows that stand under keys which ended, with the identity that they have now
    judge     lock them, evaluate in a later statement: ended again, newer, held, blocked or unsure
    act       the same ending again, by the same code as the worker's; `cause` is `replay`
    report    a row each of what was left, and why

Deletes people's data, so it takes no row for another: without an identity, a row is ended again
only where its own columns say that it had expired before it ended; all others are `unsure`. A
transaction is one batch; a killed replay has done what it has done, and the next one does the rest.
A second replay finds nothing to do and writes nothing.
"""

from collections import Counter

from lifecycle.compiler.keys import label_of
from lifecycle.db.connection import fetch, scalar, statement
from lifecycle.exceptions import LifecycleError
from lifecycle.ledger.caps import cap_of
from lifecycle.policy.registry import all_policies
from purge.models import Resurrected
from purge.passes import runs
from purge.passes.options import PassOptions
from purge.replay.model import Emptied, Replay, Report
from purge.replay.search import find
from purge.replay.settle import settle_all


def plan(replay: Replay) -> Report:
    """What a replay would do: finds, locks and judges rows, rolls every batch back.

    A dry one ends rows as well before it rolls back, and so knows which cannot go. The rows found
    are stored until `carry_out` or `forget`.
    """
    replay.mark = int(scalar(replay.using, "SELECT coalesce(max(id), 0) FROM lifecycle_event"))
    options = PassOptions(origin="replay", actor=replay.actor, using=replay.using)
    replay.run = runs.start(replay.policy or "", options)
    replay.absent = find(replay)
    replay.found = _found(replay)
    return _settled(replay, act=replay.dry)


def check_cap(replay: Replay, report: Report) -> None:
    """Refuse a replay of more rows than a policy's cap, unless somebody has allowed so many."""
    for ending, counts in report.counts.items():
        policy = replay.policy_of(ending.policy) or next(
            (p for p in all_policies() if label_of(p) == ending.model), None
        )
        cap = cap_of(policy, replay.using) if policy else 0
        if policy and counts["ended"] > max(cap, replay.allow):
            cap = cap_of(policy, replay.using, counted=True)
        if counts["ended"] > max(cap, replay.allow):
            raise LifecycleError(
                f"Replay would end {counts['ended']} rows of {ending.model} by"
                f" {ending.policy or 'the site'}, the cap is {cap}. Look at the plan; then say"
                f" --allow {counts['ended']}."
            )


def carry_out(replay: Replay) -> Report:
    """End again what the plan has found; returns what became of it.

    `LifecycleError` where another replay took a plan that had waited for long for a killed one.
    """
    if _found(replay) != replay.found:
        forget(replay)
        raise LifecycleError("The plan has waited too long, nothing was changed: replay again.")
    report = _settled(replay, act=True)
    _finish(replay, report)
    return report


def _settled(replay: Replay, act: bool) -> Report:
    report = Report(emptied=_emptied(replay), undeclared=replay.undeclared)
    for ending, rows in replay.absent.items():
        report.add(ending, Counter(gone=rows))
    settle_all(replay, report, act)
    return report


def forget(replay: Replay) -> None:
    """Delete what a plan has stored; it is not carried out."""
    _clear(replay)
    replay.run.delete()


def _finish(replay: Replay, report: Report) -> None:
    """Close the run; one that ended nothing leaves no row."""
    _clear(replay)
    runs.close(replay.run, replay.using, bool(report.total("ended")))


def _found(replay: Replay) -> int:
    return Resurrected.objects.using(replay.using).filter(run=replay.run.pk).count()


def _clear(replay: Replay) -> None:
    fetch(replay.using, statement(__file__, "clear"), {"run": replay.run.pk})


def _emptied(replay: Replay) -> list[Emptied]:
    found = fetch(replay.using, statement(__file__, "emptied"), {"since": replay.since})
    return [Emptied(*row) for row in found]
