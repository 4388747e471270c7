"""The media step: delete files that no row shows any more, after their grace, and record it.

Rows first, then media: what a transaction takes back is still there, and what is gone from the
database is in the ledger before the first file goes. `run_media` is one pass; see `batch`.
"""

from collections.abc import Iterator

from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections

from lifecycle.db.pieces import most_of, take_fewer
from lifecycle.db.version import mismatch
from lifecycle.logs import Log
from lifecycle.telemetry import span
from purge.batch.outcome import MEDIA, Outcome
from purge.media.batch import run_batch
from purge.media.model import BATCH_NAMES
from purge.models import Run
from purge.passes import runs
from purge.passes.options import PassOptions
from purge.proof.gate import why_closed

FILES = "a batch of files' names"

log = Log("purge")


def run_media(using: str = DEFAULT_DB_ALIAS, options: PassOptions | None = None) -> Outcome:
    """A pass over the media that are due in one database; counts are of names.

    Deletes files. Not those that a live row shows, nor those uploaded again since they were
    orphaned. An error of one store keeps its names on the agenda and holds up no other store;
    raises only what the database raises.
    """
    outcome = Outcome()
    with span("media", database=using) as tell:
        for outcome in turns(options or PassOptions(using=using)):  # noqa: B007 - the last has all
            pass
        tell(**outcome.counts())
    return outcome


def turns(options: PassOptions) -> Iterator[Outcome]:
    """Run batch after batch; yields what is done so far after each."""
    if mismatch(options.using) or why_closed(options.using, files=True):
        return  # as with policies: this code leaves that database alone
    total, run, out_of_reach = Outcome(), runs.start(MEDIA, options), ""
    seen: list[int] = [] if options.seen is None else options.seen
    try:
        while not options.is_over and not options.is_full(total):
            most = most_of(FILES, options.using, "", BATCH_NAMES)
            try:
                done = run_batch(options.using, run.pk, options.since, seen, options.dry, most)
            except DatabaseError as error:
                take_fewer(error, FILES, options.using, "", most)
                continue
            if done is None:
                break
            total.add(done)
            out_of_reach = done.stopped or out_of_reach
            yield total
    except Exception as error:
        connections[options.using].close_if_unusable_or_obsolete()
        _finish(run, total, options, type(error).__name__)
        raise
    _finish(run, total, options, out_of_reach)
    yield total


def _finish(run: Run, total: Outcome, options: PassOptions, error: str = "") -> None:
    has_found = bool(total.purged or total.kept or total.blocked)
    if not runs.close(run, options.using, has_found, error):
        return
    fields = {"database": options.using, "run": run.pk, "count": total.purged, "kept": total.kept}
    text = f"media: {total.purged} purged, {total.kept} kept, {total.blocked} blocked"
    log("media", text, **fields, blocked=total.blocked)
