"""One archive loses rows: prepared, then switched in one transaction with its event, then swept.

    making     the new name is stored; what is put under it counts for nobody
    switched   the event is written: the new manifest counts, the old archive is one that has to go
    gone       every object of the old one is gone, with every version; an event says so

Killed in between, `clean` removes what was made and not switched, and `sweep` goes on.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from datetime import timedelta
from typing import Any

from django.db import transaction

from lifecycle.conf import conf
from lifecycle.db.policy_lock import take_lock
from lifecycle.exceptions import LifecycleError
from lifecycle.ledger.context import context, in_context
from lifecycle.logs import Log
from purge.archive.form import Prepared, Wanted
from purge.back_off import back_off
from purge.erasure.archived import say
from purge.models import ArchiveErasure, Rewrite
from purge.rewriting.task import Task

State = Rewrite.State
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)

log = Log("purge")


def rewrite(
    task: Task, name: str, wanted: Wanted, job: ArchiveErasure | None = None, reference: str = "",
    subject: tuple[Any, str] | None = None, actor: str = "",
) -> Prepared | None:  # fmt: skip
    """Rewrite one archive without the rows that are wanted; None where it has none.

    Raises `LifecycleError` where a hold, or anything else, stops it: nothing has changed then.
    """
    own = job.policy if job else task.policy.name  # by the name under which it was asked for
    row = Rewrite(policy=own, model=task.label, archive=name, made_at=task.now)
    row.reference = job.reference if job else reference
    row.asked, row.erasure = (job.event, job.erasure) if job else (None, None)
    try:
        prepared = task.form.prepare(row, wanted)
        if prepared is not None:
            with _named(task, actor):
                _switch(task, row, prepared, job, wanted, subject)
    except Exception:
        with suppress(LifecycleError, OSError):
            _discard(task, row)
        raise
    return prepared


def _named(task: Task, actor: str) -> AbstractContextManager[None]:
    """Who has asked for it by name, where somebody has: a worker does what an event says."""
    return context(actor, in_context("cause", task.using), task.using) if actor else nullcontext()


def _switch(
    task: Task, row: Rewrite, prepared: Prepared, job: ArchiveErasure | None, wanted: Wanted,
    subject: tuple[Any, str] | None,
) -> None:  # fmt: skip
    """Batches and loads wait for the policy's lock, and see the new archive afterwards."""
    task.check()
    with transaction.atomic(using=task.using):
        take_lock(task.policy.name, task.using)
        task.refuse_stopped()
        task.refuse_held(prepared.keys, subject)
        row.due_at = (job and job.due_at) or task.now + within()
        row.state, row.rows, row.manifest = State.SWITCHED, len(prepared.keys), prepared.replaces
        task.form.switch(prepared, row)
        row.event = say(row.policy, row.model, task.using, **_said(row, prepared, job, wanted))
        row.save(using=task.using)
        if job:
            _note(job, prepared, task.using)
    log(
        "rewritten", f"{row.policy}: an archive was rewritten without {row.rows} rows",
        policy=row.policy, database=task.using, model=row.model, count=row.rows, event=row.event,
    )  # fmt: skip


def _said(
    row: Rewrite, prepared: Prepared, job: ArchiveErasure | None, wanted: Wanted
) -> dict[str, Any]:
    said = {
        "step": "rewritten", "replaces": prepared.archive, "former": prepared.replaces,
        "fewer": row.rows, "rows": prepared.rows, "deadline": row.due_at and row.due_at.isoformat(),
        "reference": row.reference, "columns": sorted(wanted.values),
    }  # fmt: skip
    if prepared.name:
        said |= {"archive": prepared.name, "manifest": prepared.manifest}
    if prepared.found:
        said["found"] = True
    return said | ({"request": job.event, "erasure": job.erasure} if job else {})


def _note(job: ArchiveErasure, prepared: Prepared, using: str) -> None:
    """What was compared with the old one need not be looked through again."""
    own = ArchiveErasure.objects.using(using).select_for_update().filter(pk=job.pk)
    if not own.exists():
        raise LifecycleError("Another worker has done this meanwhile.")
    job.looked = [*job.looked, prepared.archive, prepared.name]
    job.archives, job.rows = job.archives + 1, job.rows + len(prepared.keys)
    job.save(using=using, update_fields=["looked", "archives", "rows"])


def clean(task: Task) -> None:
    """Remove what was made and never switched, of this policy; what cannot be removed is tried
    again later and later, as in `sweep`."""
    _each(task, State.MAKING, _discard)


def _discard(task: Task, row: Rewrite) -> None:
    if row.pk:
        task.form.discard(row)
        Rewrite.objects.using(task.using).filter(pk=row.pk, state=State.MAKING).delete()


def sweep(task: Task) -> int:
    """Remove what is left of archives that were rewritten; how many still are there.

    What cannot be removed is tried again later and later; a hold keeps it.
    """
    return _each(task, State.SWITCHED, _sweep)


def _each(task: Task, state: State, act: Callable[[Task, Rewrite], None]) -> int:
    """Act on each rewrite in a state whose time has come; how many are left in it."""
    own = Rewrite.objects.using(task.using).filter(policy__in=task.names, state=state)
    for row in own.order_by("pk"):
        if row.again_at is None or row.again_at <= task.now:
            try:
                act(task, row)
            except (LifecycleError, OSError) as error:
                _again(task, row, error)
    return own.count()


def _sweep(task: Task, row: Rewrite) -> None:
    task.refuse_stopped()
    task.form.sweep(row)
    with transaction.atomic(using=task.using):
        said: dict[str, Any] = {"step": "gone", "replaces": row.archive, "request": row.event}
        said |= {"reference": row.reference} | ({"erasure": row.erasure} if row.erasure else {})
        if Rewrite.objects.using(task.using).filter(pk=row.pk).delete()[0]:
            say(row.policy, row.model, task.using, **said)


def _again(task: Task, row: Rewrite, error: Exception) -> None:
    row.again_at = task.now + back_off(FIRST_WAIT, LONGEST_WAIT, row.tries)
    row.tries, row.error = row.tries + 1, words_of(error)
    row.save(using=task.using, update_fields=["again_at", "tries", "error"])
    log(
        "rewrite_failed", f"{row.policy}: what is to go of an archive is still there",
        policy=row.policy, database=task.using, model=row.model, event=row.event,
    )  # fmt: skip


def words_of(error: Exception) -> str:
    """An error of ours by its words, which hold no value; of any other its kind."""
    return str(error) if isinstance(error, LifecycleError) else type(error).__name__


def within() -> timedelta:
    """How long there is until nothing is left of rows that were erased."""
    return timedelta(seconds=conf.ARCHIVE_ERASED_WITHIN)
