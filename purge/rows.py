"""What is done with rows that were looked at: tombstone, end, keep, list again, block."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import DatabaseError, InterfaceError, OperationalError, ProgrammingError, transaction

from lifecycle import signals
from lifecycle.compile import compiled
from lifecycle.db import Placed, Raw, fetch, scalar
from lifecycle.dispositions import Archive, Update
from lifecycle.identity import hashed, in_order, told

from .along import told_alone
from .archive import gate
from .ending import announced, end_rows, keys_of
from .errors import ArchivedBelow, Halt, HeldBelow, HeldMeanwhile, PurgeError
from .subjects import Subjects

if TYPE_CHECKING:
    from .batch import Batch
    from .look import Verdict

SHOWN = 5  # keys of rows in a dry run
SHORTEST_BLOCK, LONGEST_BLOCK = timedelta(minutes=1), timedelta(days=1)
CONTENDED = ("55P03", "40P01")  # lock not available, deadlock detected


def act(batch: "Batch", verdicts: list["Verdict"]) -> None:
    """Carry out what the look has found, inside the same locks."""
    for verdict in verdicts:
        batch.outcome.looked += verdict.subjects.count
        if batch.dry and verdict.name in ("tombstone", "end", "purge"):
            _show(batch, verdict)
        if batch.gather:
            if verdict.name in gate.ENDS:
                batch.gather(batch, verdict.subjects)
        elif verdict.name in gate.ENDS and gate.is_archived(batch.policy) and not batch.dry:
            gate.end(batch, verdict, _act)
        else:
            _act(batch, verdict)


def _act(batch: "Batch", verdict: "Verdict") -> None:
    acts = batch.override.acts if batch.override else batch.picked.acts
    acts[verdict.name](batch, verdict)


def _show(batch: "Batch", verdict: "Verdict") -> None:
    if len(batch.outcome.sample) < SHOWN:
        batch.outcome.sample += tuple(map(str, keys_of(batch, verdict.subjects)[:SHOWN]))


def _later(batch: "Batch", verdict: "Verdict") -> None:
    text = batch.sql("unlisted")
    params = batch.params(verdict.subjects, dues=verdict.dues, entries=batch.picked.entries)
    count, keys, dues = fetch(batch.using, text, params)[0]
    if count:
        batch.picked.carry_at(Subjects(verdict.subjects.key, count, keys=keys), dues, "later")


def _waiting(batch: "Batch", verdict: "Verdict") -> None:
    batch.picked.carry_at(verdict.subjects, str(verdict.dues), "grace", verdict.stone)


def _held(batch: "Batch", verdict: "Verdict") -> None:
    batch.picked.carry_at(verdict.subjects, str(verdict.dues), "held")
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
        text = batch.sql("events_since")
        events = fetch(batch.using, text, batch.params(subjects, before=before))
        send(batch, signals.purged, [event for (event,) in events], subjects.count)


def update(batch: "Batch", subjects: Subjects) -> None:
    """Set the columns of an `Update`; raises `Halt` where that leaves rows that still match."""
    where = subjects.where(batch.column)
    assignments = Raw(compiled(batch.policy).update_sql)
    text = batch.sql("update", rows=where, assignments=assignments)
    batch.along = told_alone(batch, batch.policy.model, subjects)
    with announced(batch, subjects):  # files that it takes out of columns have had their grace
        fetch(batch.using, text, batch.params(subjects))
    again = batch.sql("still_matching", rows=subjects.where("state.key"))
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
    identities = batch.sql("identities", **{k: Placed(v) for k, v in parts.items()})
    batch.write("updated", subjects, identities=identities, identity=names, **detail)


def last_event(batch: "Batch") -> int:
    """The ledger's latest number now; only asked for when a receiver wants to know."""
    if not signals.purged.has_listeners(batch.policy.model):
        return 0
    return int(scalar(batch.using, batch.sql("last_event")))


def send(batch: "Batch", signal: Any, events: list[int], count: int) -> None:
    """Tell receivers of a signal, when the batch has committed."""
    told = {"policy": batch.policy.name, "events": events, "count": count}
    tell = lambda: signal.send_robust(batch.policy.model, **told)  # noqa: E731
    if not batch.dry:
        transaction.on_commit(tell, using=batch.using, robust=True)


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


def is_of_one_row(error: Exception) -> bool:
    """Whether an error may be the fault of single rows: then the others go on."""
    if is_contended(error):
        return True
    if isinstance(error, DatabaseError | InterfaceError):
        return not isinstance(error, OperationalError | ProgrammingError | InterfaceError)
    return not isinstance(error, PurgeError) or isinstance(error, HeldBelow | ArchivedBelow)


def is_contended(error: Exception) -> bool:
    """Whether somebody else holds a lock that was wanted."""
    return sqlstate(error) in CONTENDED or isinstance(error, HeldMeanwhile)


def put_off(batch: "Batch", subjects: Subjects, error: Exception) -> None:
    """Leave rows among which some make trouble to the next batch."""
    if is_contended(error):
        batch.picked.carry_locked(subjects)
    else:
        batch.picked.carry(subjects, timedelta(0), carried="slow")


def block(batch: "Batch", subject: Subjects, error: Exception) -> None:
    """Record that one row cannot go now, and why; no value of it is recorded."""
    if is_contended(error):
        batch.picked.carry_locked(subject)
        return
    attempts = batch.picked.attempts
    wait = min(SHORTEST_BLOCK * 2 ** min(attempts, 20), LONGEST_BLOCK)
    batch.picked.carry(subject, wait, kind="blocked", attempts=attempts + 1, **reason(error))
    batch.outcome.blocked += 1


def reason(error: Exception) -> dict[str, Any]:
    """Why, in names: error class, SQLSTATE, constraint, table, the models that refer."""
    found: dict[str, Any] = {"error": type(error).__name__, "sqlstate": sqlstate(error)}
    diagnosis = getattr(error.__cause__, "diag", None)
    if diagnosis:
        found |= {"constraint": diagnosis.constraint_name, "table": diagnosis.table_name}
    for name in ("protected_objects", "restricted_objects", "held", "unarchived"):
        objects = list(getattr(error, name, ()))[:5]
        if objects:
            found["by"] = [f"{each._meta.label}:{each.pk}" for each in objects]
    return {key: value for key, value in found.items() if value}


def sqlstate(error: BaseException) -> str | None:
    """PostgreSQL's code of an error that Django has wrapped."""
    return getattr(error.__cause__, "sqlstate", None)
