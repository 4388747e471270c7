"""Archive what is due of a policy, before any row of it goes. The flow, on one page:

    archive_lock  nobody else archives for this policy
    destination   where archives go; without one nothing is read
    forget_lost   archives that are not there any more answer for no row
    resume        what a killed worker has left: used if it is whole, else written again
    chosen        the keys of rows that would end now, noted a thousand at a time
    make          write the files, put them, read them back; then a batch may delete the rows

A failure at any point leaves the rows where they are, and what was done for the next try.
"""

from datetime import timedelta
from typing import Any

from django.db import transaction

from lifecycle.compiler.keys import label_of
from lifecycle.exceptions import LifecycleError
from lifecycle.policy.policy import Policy
from lifecycle.telemetry import span
from purge.archive import storage
from purge.archive.destinations import Destination, destination
from purge.archive.left import forget_gone, keep_left, still_there
from purge.archive.table import Table
from purge.archiving.choose import PART, NextBatch, chosen, note_part, part_rows
from purge.archiving.lock import Guarded, archive_lock
from purge.archiving.make import is_whole, make, verify
from purge.archiving.write import now
from purge.back_off import back_off
from purge.exceptions import ArchiveError
from purge.models import Archive
from purge.passes.options import PassOptions
from purge.passes.override import Override

State = Archive.State
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)  # after a failure
TRUSTED = timedelta(hours=1)  # after which a verified archive is looked for again


def archive_due(
    policy: Policy, options: PassOptions, run: int | None, next_batch: NextBatch,
    override: Override | None = None,
) -> bool:  # fmt: skip
    """Archive what would end now; False where another worker does so at the moment.

    Raises `ArchiveError` where that failed; it is tried again later and later. An override is tried
    at once, and all of its rows are archived when this returns.
    """
    named = {"policy": policy.name, "database": options.using}
    with span("archive", **named), archive_lock(policy.name, options.using) as check:
        if check:
            table = Table(policy, options.using, check)
            if not override and _is_waiting(table):
                return True
            try:
                erased: Any = policy.disposition
                where = Guarded(destination(), check, bool(erased.erased_with))
                forget_lost(table, where)
                _resume(table, where)
                if override or not _is_draining(table):
                    _choose(table, where, options, run, next_batch, override)
            except (LifecycleError, OSError) as error:
                check()  # what there is of the archive may be another worker's now
                _back_off(table, error)
                raise ArchiveError(str(error)) from error
    return check is not None


def _is_waiting(table: Table) -> bool:
    """Whether the last try failed and the next is not due yet."""
    archive = _unfinished(table)
    return bool(archive and archive.again_at and archive.again_at > now(table.using))


def _is_draining(table: Table) -> bool:
    """Whether rows that were all archived are just being deleted, in the slices of a worker."""
    return any(not archive.more for archive in archives_of(table, State.VERIFIED))


def _unfinished(table: Table) -> Archive | None:
    return next(iter(archives_of(table, State.CHOSEN, State.WRITTEN)), None)


def _resume(table: Table, where: Destination) -> None:
    while archive := _unfinished(table):
        if archive.state == State.WRITTEN and is_whole(where, archive):
            verify(table, where, archive)
        else:
            make(table, where, archive)


def _choose(
    table: Table, where: Destination, options: PassOptions, run: int | None,
    next_batch: NextBatch, override: Override | None,
) -> None:  # fmt: skip
    """Archive after archive until all that is due is in one, or a slice of a worker is over."""
    most: int = table.policy.disposition.batch_rows  # type: ignore[attr-defined]
    size = part_rows(table, PART)
    archive, rows = None, 0
    for keys in chosen(table, options, override, next_batch):
        for taken in keys.parts(size, most, rows):
            if archive is None:
                archive, rows = _new(table, run), 0
            note_part(table, archive, taken)
            rows += taken.count
            if rows >= most:
                make(table, where, archive)
                _resume(table, where)  # what did not fit into it
                archive, rows = None, 0
                if options.is_over and not override:
                    return
    if archive:
        make(table, where, archive)
        _resume(table, where)
    own = Archive.objects.using(table.using).filter(policy=table.policy.name, more=True)
    own.update(more=False)


def _new(table: Table, run: int | None) -> Archive:
    named = {"policy": table.policy.name, "model": label_of(table.policy), "run": run}
    prefix = table.policy.disposition.prefix  # type: ignore[attr-defined]
    archive = Archive(prefix=prefix, more=True, **named)
    archive.save(using=table.using)
    return archive


def _back_off(table: Table, error: Exception) -> None:
    archive = _unfinished(table) or _new(table, None)
    wait = back_off(FIRST_WAIT, LONGEST_WAIT, archive.attempts)
    archive.again_at, archive.error = now(table.using) + wait, str(error)
    archive.attempts += 1
    archive.save(using=table.using)


def forget_lost(table: Table, where: Destination) -> None:
    """Close archives that were verified a while ago and are not there now."""
    for archive in archives_of(table, State.VERIFIED, State.LEFT):
        is_old = archive.verified_at is None or archive.verified_at < now(table.using) - TRUSTED
        if is_old and not storage.is_there(where, archive):
            table.check()
            with transaction.atomic(using=table.using):
                _close(table, archive)


def close_finished(policy: Policy, using: str) -> None:
    """After a pass over everything due: close archives of which no row is left in the table."""
    table = Table(policy, using)
    for archive in archives_of(table, State.VERIFIED, State.LEFT):
        with transaction.atomic(using=using):
            if not still_there(table, archive.pk):
                _close(table, archive)
            elif archive.state == State.LEFT:
                forget_gone(table, archive.pk)
            else:
                keep_left(table, archive.pk)
                archive.state = State.LEFT
                archive.save(using=using, update_fields=["state"])


def _close(table: Table, archive: Archive) -> None:
    archive.state = State.DONE
    archive.save(using=table.using, update_fields=["state"])
    archive.parts.all()._raw_delete(table.using)


def archives_of(table: Table, *states: Any) -> list[Archive]:
    """The archives of a policy that are in one of some states, the oldest first."""
    own = Archive.objects.using(table.using).filter(state__in=states)
    return list(own.filter(policy=table.policy.name, model=label_of(table.policy)).order_by("pk"))
