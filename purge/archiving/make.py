"""Make one archive of rows that were chosen: write its files, put them, read them back.

written     the rows' values, on this machine's disk
put         each file under a name that was stored before
compare     each file read back to its end
show        of a table: its next version, which has these files (`purge.iceberg.commit`)
verified    from now on a batch may delete these rows (`purge.batch.archived`)
"""

import re
from contextlib import suppress
from functools import partial
from typing import Any

from lifecycle.compiler.keys import label_of
from lifecycle.compiler.windows import counts_only
from lifecycle.exceptions import LifecycleError
from purge.archive import storage
from purge.archive.destinations import Destination
from purge.archive.formats.iceberg import Layout
from purge.archive.manifest import Manifest, read
from purge.archive.rewritten import rewritten_by
from purge.archive.table import Table
from purge.archiving.write import End, Written, now, written
from purge.exceptions import ArchiveError, OtherSchema
from purge.iceberg.commit import withdraw
from purge.iceberg.table import Footers, is_table, layout_of, show, table_of
from purge.models import Archive

State = Archive.State
DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)[ T]")
NOT_PLAIN = re.compile(r"[^A-Za-z0-9_]+")
NAMES_TRIED = 5


def is_whole(where: Destination, archive: Archive) -> bool:
    """Whether all files that were written are there, as they were written."""
    return archive.place == where.title and all(
        storage.is_whole(where, file) for file in read(archive.manifest).files
    )


def make(table: Table, where: Destination, archive: Archive) -> None:
    """Write, put, read back. Rows that are gone since they were chosen are in no archive."""
    own: Any = table.policy.disposition
    former = storage.put_before(archive)
    archive.state = State.CHOSEN  # the hashes are about to be those of other files
    _save(table, archive)
    layout = _layout(table, where, archive) if is_table(table.policy) else None
    with written(table, archive, own.files, own.batch_bytes, layout) as done:
        if archive.place == where.title:
            again = done.described(archive.prefix, archive.name)
            storage.discard(where, archive, [file for file in former if file not in again])
        if not done.rows:
            archive.delete(using=table.using)
            return
        _put(table, where, archive, done)
        verify(table, where, archive)


def _layout(table: Table, where: Destination, archive: Archive) -> Layout:
    """How the rows of the policy's table are written. What an earlier try was about to show goes
    before its files do."""
    own = table_of(table, where)
    withdraw(own, where, archive, table.using)
    archive.prefix = own.data
    return layout_of(table, where, own, now(table.using))


def _put(table: Table, where: Destination, archive: Archive, done: Written) -> None:
    for number in range(1, NAMES_TRIED + 1):
        if not archive.name or number > 1:
            archive.made_at = now(table.using)
            archive.name = _name(table, archive, done) + (f"_{number}" if number > 1 else "")
            if storage.is_taken(where, archive) or _is_given(archive, table.using):
                continue
        manifest = _manifest(table, archive, done)
        archive.rows, archive.place = done.rows, where.title
        archive.manifest, archive.state = manifest.as_json(), State.WRITTEN
        _save(table, archive)
        try:
            for file, content in zip(manifest.files, done.files.values(), strict=True):
                storage.put(where, archive, file, content.file)
            return
        except storage.NameTaken:
            continue
    raise ArchiveError(f"There is an object named {archive.name} in {where.title} already.")


def _is_given(archive: Archive, using: str) -> bool:
    """Whether another archive has had the name, of which nothing may be at the destination."""
    known = Archive.objects.using(using).filter(name=archive.name).exclude(pk=archive.pk)
    return known.exists() or bool(rewritten_by(archive.name, using))


def verify(table: Table, where: Destination, archive: Archive) -> None:
    """Read the files back and put the manifest; of a table, have it show them.

    Raises `ArchiveError` where one is not as it was written.
    """
    manifest = read(archive.manifest)
    footers = Footers(manifest) if is_table(table.policy) else None
    try:
        storage.compare(where, manifest.files, footers)
        storage.put_text(where, archive, storage.manifest_name(archive), archive.manifest)
    except ArchiveError as error:
        with suppress(LifecycleError):
            storage.discard(where, archive, manifest.files)
        if isinstance(error, storage.NameTaken):
            archive.name = ""  # its manifest is another's: the next try has another name
            _save(table, archive)
        raise
    if footers is None:
        _finish(table, archive)
        return
    try:
        show(table, where, archive, footers, now(table.using), partial(_finish, table, archive))
    except OtherSchema:
        storage.discard(where, archive, manifest.files)  # written again, for the schema of now
        raise


def _finish(table: Table, archive: Archive) -> None:
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
