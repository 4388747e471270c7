"""Rows of a policy into archives, before any of them goes. The flow, on one page:

    alone       nobody else archives for this policy
    destination where archives go; without one nothing is read
    resume      what a killed worker has left: used if it is whole, else written again
    chosen      the keys of rows that would end now, noted a thousand at a time
    written     their values, on this machine's disk
    put         each file under a name that was stored before
    compare     each file read back to its end
    verified    from now on a batch may delete these rows (`gate`)

A failure at any point leaves the rows where they are, and what was done for the next try.
"""

import re
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from lifecycle.compiler.keys import label_of
from lifecycle.compiler.windows import counts_only
from lifecycle.exceptions import LifecycleError
from lifecycle.policy.policy import Policy
from purge.archive import storage as storing
from purge.archive.destinations import Destination, destination
from purge.archive.manifest import Manifest, read
from purge.archive.table import Table
from purge.archiving.choose import PART, chosen, note
from purge.archiving.close import archives_of, forget
from purge.archiving.lock import Guarded, alone
from purge.archiving.write import End, Written, now, written
from purge.back_off import back_off
from purge.exceptions import ArchiveError
from purge.models import Archive

if TYPE_CHECKING:
    from purge.archiving.choose import NextBatch
    from purge.passes.options import PassOptions
    from purge.passes.override import Override


State = Archive.State
SHORTEST, LONGEST = timedelta(minutes=1), timedelta(hours=1)
DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)[ T]")
NOT_PLAIN = re.compile(r"[^A-Za-z0-9_]+")
MORE_NAMES = 5


def keep(
    policy: Policy, how: "PassOptions", run: int | None, next_batch: "NextBatch",
    override: "Override | None" = None,
) -> bool:  # fmt: skip
    """Archive what would end now; False where another worker does so at the moment.

    Raises `ArchiveError` where that failed; it is tried again later and later. An override is tried
    at once, and what it asks for is all archived when this returns.
    """
    with alone(policy.name, how.using) as check:
        if check:
            table = Table(policy, how.using, check)
            archive = _unfinished(policy, how.using)
            if archive and archive.again_at and not override and archive.again_at > now(how.using):
                return True
            try:
                where = Guarded(destination(), check)
                forget(table, where)
                _resume(table, where)
                if override or not _is_draining(policy, how.using):
                    _choose(table, where, how, run, next_batch, override)
            except (LifecycleError, OSError) as error:
                check()  # what there is of the archive may be another worker's now
                _back_off(table, error)
                raise ArchiveError(str(error)) from error
    return check is not None


def _unfinished(policy: Policy, using: str) -> Archive | None:
    return next(iter(archives_of(policy, using, State.CHOSEN, State.WRITTEN)), None)


def _is_draining(policy: Policy, using: str) -> bool:
    """Whether rows that were all archived are just being deleted, in the slices of a worker."""
    return any(not archive.more for archive in archives_of(policy, using, State.VERIFIED))


def _resume(table: Table, where: Destination) -> None:
    while archive := _unfinished(table.policy, table.using):
        if not (archive.state == State.WRITTEN and _is_whole(where, archive)):
            _make(table, where, archive)
        else:
            _verify(table, where, archive)


def _is_whole(where: Destination, archive: Archive) -> bool:
    return archive.place == where.title and all(
        storing.is_whole(where, file) for file in read(archive.manifest).files
    )


def _choose(
    table: Table, where: Destination, how: "PassOptions", run: int | None, next_batch: "NextBatch",
    override: "Override | None",
) -> None:  # fmt: skip
    """Archive after archive until all that is due is in one, or a slice of a worker is over."""
    own: Any = table.policy.disposition
    archive, rows = None, 0
    for keys in chosen(table, how, override, next_batch, min(PART, own.batch_rows)):
        if archive is None:
            archive, rows = _new(table, run), 0
        note(archive, table.using, keys)
        rows += len(keys)
        if rows >= own.batch_rows:
            _make(table, where, archive)
            _resume(table, where)  # what did not fit into it
            archive = None
            if how.is_over and not override:
                return
    if archive:
        _make(table, where, archive)
        _resume(table, where)
    Archive.objects.using(table.using).filter(policy=table.policy.name, more=True).update(
        more=False
    )


def _new(table: Table, run: int | None) -> Archive:
    prefix = table.policy.disposition.prefix  # type: ignore[attr-defined]
    told = {"policy": table.policy.name, "model": label_of(table.policy), "run": run}
    archive = Archive(prefix=prefix, more=True, **told)
    archive.save(using=table.using)
    return archive


def _make(table: Table, where: Destination, archive: Archive) -> None:
    """Write, put, read back. Rows that are gone since they were chosen are in no archive."""
    own: Any = table.policy.disposition
    former = storing.put_before(archive)
    archive.state = State.CHOSEN  # the hashes are about to be those of other files
    _save(table, archive)
    with written(table, archive, own.formats, own.batch_bytes) as done:
        if archive.place == where.title:
            again = done.described(archive.prefix, archive.name)
            storing.discard(where, archive, [file for file in former if file not in again])
        if not done.rows:
            archive.delete(using=table.using)
            return
        _put(table, where, archive, done)
        _verify(table, where, archive)


def _put(table: Table, where: Destination, archive: Archive, done: Written) -> None:
    for more in range(1, MORE_NAMES + 1):
        if not archive.name or more > 1:
            archive.made_at = now(table.using)
            archive.name = _name(table, archive, done) + (f"_{more}" if more > 1 else "")
            if storing.is_taken(where, archive):
                continue
        manifest = _manifest(table, archive, done)
        archive.rows, archive.place = done.rows, where.title
        archive.manifest, archive.state = manifest.as_json(), State.WRITTEN
        _save(table, archive)
        try:
            for file in manifest.files:
                storing.put(where, archive, file, done.files[file.format].file)
            return
        except storing.NameTaken:
            continue
    raise ArchiveError(f"There is an object named {archive.name} in {where.title} already.")


def _verify(table: Table, where: Destination, archive: Archive) -> None:
    manifest = read(archive.manifest)
    try:
        storing.compare(where, manifest.files)
        storing.put_text(where, archive, storing.manifest_name(archive), archive.manifest)
    except ArchiveError as error:
        with suppress(LifecycleError):
            storing.discard(where, archive, manifest.files)
        if isinstance(error, storing.NameTaken):
            archive.name = ""  # its manifest is another's: the next try has another name
            _save(table, archive)
        raise
    archive.state, archive.verified_at = State.VERIFIED, now(table.using)
    archive.attempts, archive.again_at, archive.error = 0, None, ""
    _save(table, archive)


def _save(table: Table, archive: Archive) -> None:
    table.check()
    archive.save(using=table.using)


def _name(table: Table, archive: Archive, done: Written) -> str:
    """`audit_logs_20241001_to_20241227_20250127_040001`: from, to, when it was made, of UTC."""
    parts = [NOT_PLAIN.sub("_", table.name)]
    days = [DATE.match(end["time"] or "") for end in (done.first, done.last)]
    if all(days):
        first, last = ("".join(day.groups()) for day in days if day)
        parts += [first, "to", last]
    return "_".join([*parts, f"{archive.made_at:%Y%m%d_%H%M%S}"])


def _manifest(table: Table, archive: Archive, done: Written) -> Manifest:
    ends = [_end(end, counts_only(table.policy.model)) for end in (done.first, done.last)]
    return Manifest(
        name=archive.name, policy=table.policy.name, model=label_of(table.policy),
        table=table.name, key=table.key, rows=done.rows, first=ends[0], last=ends[1],
        made=f"{archive.made_at:%Y-%m-%dT%H:%M:%S+00:00}", columns=table.columns,
        files=done.described(archive.prefix, archive.name),
    )  # fmt: skip


def _end(end: End, is_secret: bool) -> End:
    time = end["time"]
    return {"key": None if is_secret else end["key"], "time": time and time.replace(" ", "T")}


def _back_off(table: Table, error: Exception) -> None:
    archive = _unfinished(table.policy, table.using) or _new(table, None)
    wait = back_off(SHORTEST, LONGEST, archive.attempts)
    archive.again_at, archive.error = now(table.using) + wait, str(error)
    archive.attempts += 1
    archive.save(using=table.using)
