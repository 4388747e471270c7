"""What is done with rows that were looked at: tombstone, end, keep, list again, block."""

from typing import TYPE_CHECKING, Any

from lifecycle import signals
from lifecycle.compiler.identity import hashed, in_order, told
from lifecycle.compiler.policy_sql import compiled
from lifecycle.db.connection import Placed, Raw, fetch, scalar
from lifecycle.policy.dispositions import Archive, Update
from purge.batch import archived as gate
from purge.batch.announce import announced
from purge.batch.cascade.account import cascaded_alone
from purge.batch.cascade.delete import end_rows
from purge.batch.keys import keys_of
from purge.batch.notify import last_event, send
from purge.batch.subjects import Subjects
from purge.exceptions import Halt

if TYPE_CHECKING:
    from purge.batch.state import Batch
    from purge.batch.verdict import Verdict


SHOWN = 5  # keys of rows in a dry run


def act(batch: "Batch", verdicts: list["Verdict"]) -> None:
    """Carry out what the look has found, inside the same locks."""
    for verdict in verdicts:
        batch.outcome.looked += verdict.subjects.count
        if batch.dry and verdict.name in ("tombstone", "end", "purge"):
            _show(batch, verdict)
        if batch.collect_keys:
            if verdict.name in gate.ENDS:
                batch.collect_keys(batch, verdict.subjects)
        elif verdict.name in gate.ENDS and gate.is_archived(batch.policy) and not batch.dry:
            gate.end(batch, verdict, _act)
        else:
            _act(batch, verdict)


def _act(batch: "Batch", verdict: "Verdict") -> None:
    batch.source.acts[verdict.name](batch, verdict)


def _show(batch: "Batch", verdict: "Verdict") -> None:
    if len(batch.outcome.sample) < SHOWN:
        batch.outcome.sample += tuple(map(str, keys_of(batch, verdict.subjects)[:SHOWN]))


def _later(batch: "Batch", verdict: "Verdict") -> None:
    text = batch.sql(__file__, "unlisted")
    params = batch.params(verdict.subjects, dues=verdict.dues, entries=batch.source.entries)
    count, keys, dues = fetch(batch.using, text, params)[0]
    if count:
        batch.source.relist_at(Subjects(verdict.subjects.key, count, keys=keys), dues, "later")


def _waiting(batch: "Batch", verdict: "Verdict") -> None:
    batch.source.relist_at(verdict.subjects, str(verdict.dues), "grace", verdict.tombstone)


def _held(batch: "Batch", verdict: "Verdict") -> None:
    batch.source.relist_at(verdict.subjects, str(verdict.dues), "held")
    batch.outcome.held += verdict.subjects.count


def _kept(batch: "Batch", verdict: "Verdict") -> None:
    batch.write("kept", verdict.subjects, batch.now + batch.policy.recheck)
    batch.outcome.kept += verdict.subjects.count


def _tombstone(batch: "Batch", verdict: "Verdict") -> None:
    batch.outcome.fresh += verdict.subjects.count
    event = batch.write("tombstoned", verdict.subjects, verdict.due)
    batch.outcome.tombstoned += verdict.subjects.count
    send(batch, signals.tombstoned, [event], verdict.subjects.count)


def _end(batch: "Batch", verdict: "Verdict") -> None:
    batch.outcome.fresh += verdict.subjects.count
    _purge(batch, verdict)


def _purge(batch: "Batch", verdict: "Verdict") -> None:
    if isinstance(batch.policy.disposition, Update):
        update(batch, verdict.subjects)
        return
    archives = isinstance(batch.policy.disposition, Archive)
    if archives and not batch.dry and "archive" not in batch.told:
        raise Halt("unarchived", "rows would go that no verified archive holds")
    delete(batch, verdict.subjects)


def delete(batch: "Batch", subjects: Subjects) -> None:
    """Delete rows, and tell the receivers of `purged`."""
    before = last_event(batch)
    subjects = gate.tell(batch, subjects)
    end_rows(batch, subjects)
    batch.outcome.purged += subjects.count
    if signals.purged.has_listeners(batch.policy.model):
        text = batch.sql(__file__, "events_since")
        events = fetch(batch.using, text, batch.params(subjects, before=before))
        send(batch, signals.purged, [event for (event,) in events], subjects.count)


def update(batch: "Batch", subjects: Subjects) -> None:
    """Set the columns of an `Update`; raises `Halt` where that leaves rows that still match."""
    where = subjects.where(batch.column)
    assignments = Raw(compiled(batch.policy).update_sql)
    text = batch.sql(__file__, "update", rows=where, assignments=assignments)
    batch.along = cascaded_alone(batch, batch.policy.model, subjects)
    with announced(batch, subjects):  # files that it takes out of columns have had their grace
        fetch(batch.using, text, batch.params(subjects))
    again = batch.sql(__file__, "still_matching", rows=subjects.where("state.key"))
    if scalar(batch.using, again, batch.params(subjects)):
        raise Halt("update_again", "rows still match `when` after the update")
    write_updated(batch, subjects, **batch.along)
    batch.outcome.updated += subjects.count


def write_updated(batch: "Batch", subjects: Subjects, **detail: Any) -> None:
    """Record the update, with the identities of the rows as they are now."""
    model = batch.policy.model
    made = told(model, names := hashed(model))
    if made is None:
        batch.write("updated", subjects, **detail)
        return
    parts = {"rows": subjects.where(batch.column), "bytes": Raw(made), "order": in_order(model)}
    identities = batch.sql(__file__, "identities", **{k: Placed(v) for k, v in parts.items()})
    batch.write("updated", subjects, identities=identities, identity=names, **detail)


ACTS = {
    "free": lambda batch, verdict: None,
    "later": _later,
    "waiting": _waiting,
    "held": _held,
    "kept": _kept,
    "tombstone": _tombstone,
    "end": _end,
    "purge": _purge,
}
