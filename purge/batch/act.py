"""What is done with rows that were evaluated: tombstone, delete, update.

Rows that stay are only counted here; a source that lists rows adds how it lists them again.
"""

from typing import Any

from lifecycle import signals
from lifecycle.compiler.identity import hashed, identity_sql, in_order
from lifecycle.db.connection import Placed, Raw, fetch, scalar
from lifecycle.policy.dispositions import Archive, Update
from purge.batch import archived
from purge.batch.announced import announced
from purge.batch.brakes import ask_shared_keys, refuse_shared_keys
from purge.batch.cascade.account import media_alone
from purge.batch.cascade.delete import end_rows
from purge.batch.evaluate import Verdict
from purge.batch.state import Batch, latest_event, send, stored_keys
from purge.batch.subjects import Passing, Subjects
from purge.exceptions import Halt
from purge.outbox import note as outbox

SHOWN = 5  # keys of rows in a dry run
ENDS = ("end", "purge")  # the verdicts of rows that leave the database, or are updated


def act(batch: Batch, verdicts: list[Verdict]) -> None:
    """Carry out what `evaluate` has found, inside the same locks."""
    for verdict in verdicts:
        batch.outcome.looked += verdict.subjects.count
        if batch.dry and not batch.collect_keys and verdict.name in ("tombstone", *ENDS):
            _show(batch, verdict)
        if verdict.name not in ENDS:
            if not batch.collect_keys:
                _act(batch, verdict)
        elif batch.collect_keys:
            batch.collect_keys(batch, verdict.subjects)
        elif archived.is_archived(batch.policy) and not batch.dry:
            archived.end_archived(batch, verdict, _act)
        else:
            _act(batch, verdict)


def _act(batch: Batch, verdict: Verdict) -> None:
    batch.source.acts[verdict.name](batch, verdict)


def _show(batch: Batch, verdict: Verdict) -> None:
    if len(batch.outcome.sample) < SHOWN:
        batch.outcome.sample += tuple(map(str, stored_keys(batch, verdict.subjects)[:SHOWN]))


def stay(batch: Batch, verdict: Verdict) -> None:
    """Nothing: the rows are not due, or are listed elsewhere."""


def count_held(batch: Batch, verdict: Verdict) -> None:
    """Count rows that a hold keeps."""
    batch.outcome.held += verdict.subjects.count


def count_kept(batch: Batch, verdict: Verdict) -> None:
    """Count rows that `keep_while` keeps."""
    batch.outcome.kept += verdict.subjects.count


def look_soon(batch: Batch, verdict: Verdict) -> None:
    """Rows that are counted out only by rows that somebody else has locked."""
    batch.source.relist_locked(verdict.subjects)


def tombstone(batch: Batch, verdict: Verdict) -> None:
    """Begin the grace of rows, and tell the receivers of `tombstoned`."""
    batch.outcome.fresh += verdict.subjects.count
    event = batch.write("tombstoned", verdict.subjects, verdict.due)
    batch.outcome.tombstoned += verdict.subjects.count
    send(batch, signals.tombstoned, [event], verdict.subjects.count)


def end(batch: Batch, verdict: Verdict) -> None:
    """Purge rows that were not tombstoned before: they count against the cap now."""
    batch.outcome.fresh += verdict.subjects.count
    purge(batch, verdict)


def purge(batch: Batch, verdict: Verdict) -> None:
    """Delete or update rows; raises `Halt` where an archive should hold them and none does."""
    if isinstance(batch.policy.disposition, Update):
        update(batch, verdict.subjects)
        return
    if isinstance(batch.policy.disposition, Archive) and not batch.dry and not batch.archive:
        raise Halt("unarchived", "rows would go that no verified archive holds")
    delete(batch, verdict.subjects)


def delete(batch: Batch, subjects: Subjects, passing: Passing | None = None) -> None:
    """Delete rows, with `passing` all that pass or none; tell the receivers of `purged`."""
    is_heard = signals.purged.has_listeners(batch.policy.model)
    before = latest_event(batch.using) if is_heard or outbox.is_asked() else 0
    subjects = archived.write_archived(batch, subjects)
    end_rows(batch, subjects, passing)
    outbox.note(batch.using, batch.run, before)
    batch.outcome.purged += subjects.count
    if is_heard:
        text = batch.sql(__file__, "events_since")
        events = fetch(batch.using, text, batch.params(subjects, before=before))
        send(batch, signals.purged, [event for (event,) in events], subjects.count)


def update(batch: Batch, subjects: Subjects) -> None:
    """Set the columns of an `Update`; raises `Halt` where that leaves rows that still match."""
    parts = {"rows": subjects.where(batch.column), "assignments": Raw(batch.code.update_sql)}
    batch.cascaded = media_alone(batch, batch.policy.model, subjects)
    with announced(batch, subjects):  # files that it takes out of columns have had their grace
        fetch(batch.using, batch.sql(__file__, "update", **parts), batch.params(subjects))
    refuse_shared_keys(fetch(batch.using, *ask_shared_keys(batch)))
    again = batch.sql(__file__, "still_matching", rows=subjects.where("state.key"))
    if scalar(batch.using, again, batch.params(subjects)):
        raise Halt("update_again", "rows still match `when` after the update")
    _write_updated(batch, subjects, **batch.cascaded)
    if batch.policy.notice:  # should it come to an end again, it is warned again
        batch.append("noticed", subjects, {"over": True})
    batch.outcome.updated += subjects.count


def _write_updated(batch: Batch, subjects: Subjects, **detail: Any) -> None:
    """Record the update, with the identities of the rows, of columns that it has left alone."""
    model = batch.policy.model
    changed = set(batch.policy.disposition.values)  # type: ignore[attr-defined]
    identity = identity_sql(model, names := hashed(model, changed))
    if identity is None:
        batch.write("updated", subjects, **detail)
        return
    parts = {"rows": subjects.where(batch.column), "bytes": Raw(identity), "order": in_order(model)}
    identities = batch.sql(__file__, "identities", **{k: Placed(v) for k, v in parts.items()})
    batch.write("updated", subjects, identities=identities, identity=names, **detail)


#: by the verdict's name: what is done with rows that no entry of this batch lists
ACTS = {
    "free": stay,
    "later": stay,
    "waiting": stay,
    "held": count_held,
    "kept": count_kept,
    "notice": stay,
    "locked": look_soon,
    "tombstone": tombstone,
    "end": end,
    "purge": purge,
}
