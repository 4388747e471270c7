"""What a worker does once a minute: rows of those who were erased leave the archives.

wait     until the person's row has gone; what was withdrawn is closed
look     through each archive of the policy that was not looked through yet
rewrite  those with rows of the person
sweep    what is left of the old ones
done     when all were looked through that nobody has declared lost, nothing is left, and no row of
         the table is the person's
"""

import time
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, transaction

from lifecycle.db.connection import fetch, statement
from lifecycle.db.rows import every_row
from lifecycle.exceptions import LifecycleError
from lifecycle.logs import Log
from lifecycle.models import Event
from lifecycle.policy.policy import Policy
from lifecycle.policy.registry import all_policies
from purge.archive.form import Wanted
from purge.back_off import back_off
from purge.erasure.archived import Link, links_to, say
from purge.erasure.receipt import Receipt, receipts
from purge.models import Archive, ArchiveErasure, Rewrite
from purge.rewriting.each import each_archive
from purge.rewriting.find import names_of
from purge.rewriting.lost import without
from purge.rewriting.rewrite import (
    FIRST_WAIT,
    LONGEST_WAIT,
    clean,
    rewrite,
    sweep,
    within,
    words_of,
)
from purge.rewriting.task import Task, alone

SOON = timedelta(minutes=1)

log = Log("purge")


def erase_in_archives(using: str = DEFAULT_DB_ALIAS, deadline: float | None = None) -> int:
    """Do what is due of erasures in archives; begins no archive after `deadline`, of the monotonic
    clock. Returns how many erasures are left. Errors are noted with what they stop, and logged."""
    for policy in _due(using):
        if deadline is not None and time.monotonic() >= deadline:
            break
        _work(policy, using, deadline)
    return ArchiveErasure.objects.using(using).count()


def _due(using: str) -> list[Policy]:
    """The policies of which something is to be done now."""
    due = {name for (name,) in fetch(using, statement(__file__, "due"))}
    return [each for each in all_policies() if due and due & set(names_of(each, using))]


def _work(policy: Policy, using: str, deadline: float | None) -> None:
    try:
        with alone(policy, using) as task:
            if task is not None:
                clean(task)
                for job in _open(task):
                    _try(task, job, deadline)
                sweep(task)
                for job in _open(task):
                    _finish(task, job)
    except Exception as error:  # another policy's archives are no matter of it
        _note_all(policy, using, error)


def _open(task: Task) -> list[ArchiveErasure]:
    own = ArchiveErasure.objects.using(task.using).filter(policy__in=task.names)
    now = task.now
    return [job for job in own.order_by("pk") if job.again_at is None or job.again_at <= now]


def _try(task: Task, job: ArchiveErasure, deadline: float | None) -> None:
    """Look through the archives; what stops it is noted, and the next one is tried."""
    try:
        if receipt := _begun(task, job):
            _look(task, job, receipt, deadline)
    except (LifecycleError, OSError) as error:
        _again(job, error, task)


def _begun(task: Task, job: ArchiveErasure) -> Receipt | None:
    """The receipt of the person's row once it has ended; None where it has not."""
    found = [each for each in receipts(job.reference, task.using) if each.erasure == job.erasure]
    if not found or found[0].state == "withdrawn":
        _close(task, job, "withdrawn")
        return None
    if not found[0].is_done:
        job.again_at = max(task.now + SOON, found[0].ends_at or task.now)
        job.waits_for = "the end of the row itself"
        job.save(using=task.using)
        return None
    if job.due_at is None:
        job.due_at = max(found[0].ended_at or task.now, job.asked_at) + within()
        job.save(using=task.using)
    return found[0]


def _look(task: Task, job: ArchiveErasure, receipt: Receipt, deadline: float | None) -> None:
    task.refuse_stopped()
    (key, model), wanted = _subject(task, job), _wanted(task, job)

    def act(name: str) -> None:
        if deadline is not None and time.monotonic() >= deadline:
            return
        _refuse_others(task, name, receipt, key, model)
        if rewrite(task, name, wanted, job, subject=(model, key)) is None:
            job.looked = [*job.looked, name]
            job.save(using=task.using, update_fields=["looked"])

    left = [name for name in task.form.names() if name not in job.looked]
    if failed := each_archive(task, left, act):
        raise LifecycleError(_failed(failed))
    job.waits_for, job.tries, job.again_at = "", 0, None
    job.save(using=task.using)


def _failed(failed: dict[str, str]) -> str:
    """The first archive that could not be done, with why, and how many more there are."""
    name, why = next(iter(failed.items()))
    told = why if name in why else f"{name}: {why}"
    many = f"{len(failed)} archives could not be done, the first: "
    return told if len(failed) == 1 else many + told


def _refuse_others(task: Task, name: str, receipt: Receipt, key: str, model: Any) -> None:
    """`LifecycleError` where an archive may have rows of another one that has the key by now."""
    if not receipt.is_gone or not every_row(model, task.using).filter(pk=key).exists():
        return
    made = Archive.objects.using(task.using).filter(name=name, verified_at__isnull=False)
    if not made.filter(verified_at__lt=receipt.ended_at or receipt.requested_at).exists():
        raise LifecycleError(
            f"{name} was made after the row had ended, and another one has its key by now:"
            " whose rows are in it cannot be told."
        )


def _finish(task: Task, job: ArchiveErasure) -> None:
    """Close what is done; rows that are still in the table go into an archive later."""
    if job.due_at is None:
        return  # its row has not ended, as far as this pass has seen
    try:
        left = Rewrite.objects.using(task.using).filter(asked=job.event)
        if left.exists():
            why = left.exclude(error="").values_list("error", flat=True).first()
            job.waits_for = f"old files: {why or 'a worker'}"
            job.save(using=task.using, update_fields=["waits_for"])
        elif set(task.form.names()) <= set(job.looked):
            _refuse_live(task, job)
            said = {"lost": names} if (names := without(task, job)) else {}
            _close(task, job, "done", archives=job.archives, rows=job.rows, **said)
    except (LifecycleError, OSError) as error:
        _again(job, error, task)


def _refuse_live(task: Task, job: ArchiveErasure) -> None:
    """`LifecycleError` while rows of the table are the person's: they would be archived later."""
    receipt = next(e for e in receipts(job.reference, task.using) if e.erasure == job.erasure)
    if not receipt.is_gone:
        return  # the row itself stays, with other columns
    key, model = _subject(task, job)
    own = task.policy.model._meta.concrete_model
    for link in links_to(task.policy, model):
        if link.field and link.target is not own:
            rows = every_row(task.policy.model, task.using).filter(**{link.field: key})
            if rows.exists():
                raise LifecycleError(
                    f"{task.policy.name}: rows that are still in {task.label} have the person in"
                    f" {link.column}; they are erased once they are archived, or gone."
                )


def _subject(task: Task, job: ArchiveErasure) -> tuple[str, Any]:
    """The key and the model of the row that was erased, by the ledger."""
    event = Event.objects.using(task.using).filter(pk=job.erasure).first()
    keys = event.subjects if event else []
    if event is None or len(keys) != 1:
        raise LifecycleError(f"Event {job.erasure}, which asked for it, is not in the ledger.")
    try:
        return keys[0], apps.get_model(event.model)
    except (LookupError, ValueError) as error:
        raise LifecycleError(f"There is no model {event.model} any more.") from error


def _wanted(task: Task, job: ArchiveErasure) -> Wanted:
    key, model = _subject(task, job)
    found: list[Link] = links_to(task.policy, model)
    if not found:
        raise LifecycleError(
            f"{task.policy.name} says no more by which column rows are a person's."
        )
    return Wanted({each.column: key for each in found})


def _close(task: Task, job: ArchiveErasure, step: str, **said: Any) -> None:
    told = {"step": step, "request": job.event, "erasure": job.erasure, "reference": job.reference}
    with transaction.atomic(using=task.using):
        if ArchiveErasure.objects.using(task.using).filter(pk=job.pk).delete()[0]:
            say(job.policy, job.model, task.using, **told, **said)


def _again(job: ArchiveErasure, error: Exception, task: Task) -> None:
    job.again_at = task.now + back_off(FIRST_WAIT, LONGEST_WAIT, job.tries)
    job.tries, job.waits_for = job.tries + 1, words_of(error)
    job.save(using=task.using, update_fields=["again_at", "tries", "waits_for", "looked"])
    log(
        "rewrite_failed", f"{job.policy}: an erasure in archives waits", policy=job.policy,
        database=task.using, model=job.model, event=job.event,
    )  # fmt: skip


def _note_all(policy: Policy, using: str, error: Exception) -> None:
    """What stops all of a policy: no destination, a lock that was lost."""
    text, names = statement(__file__, "note_all"), names_of(policy, using)
    fetch(using, text, {"names": names, "error": words_of(error), "wait": FIRST_WAIT})
    log(
        "rewrite_failed", f"{policy.name}: erasures in archives wait", policy=policy.name,
        database=using,
    )  # fmt: skip
