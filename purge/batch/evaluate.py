"""The two halves of a batch: lock the rows, then say in a later statement what is to be done.

The statement after the lock sees every hold, restore and change that was committed before it.
"""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import OperationalError, transaction

from lifecycle.compiler.row_tables import locked_tables
from lifecycle.db.connection import Answer, Placed, Query, Raw, fetch, fetch_each
from lifecycle.policy.policy import Policy
from purge.batch import groups
from purge.batch.state import STUBBORN, Batch
from purge.batch.subjects import Subjects

#: the mails of a policy that has none, and of what a named person ends
UNTOLD = Raw("NULL::float8[]")
#: how a row's own end and grace are read, and what is done with one that another entry lists
OWN = {
    "due": Raw("lifecycle.finite_v1(due::timestamptz)"),
    "grace": Raw("make_interval(secs => extract(epoch FROM grace))"),  # a day is 24 hours
    "listed": Raw("'free'"),
    "kept": Raw("keep"),
    "notice": UNTOLD,
}
NO_GRACE = Raw("interval '0'")
#: what keeps a row where the conditions have names: of one expired by hand, not those named then
NAMED = {
    "keeps": Raw("keeps"),
    "keep": Raw("coalesce(NOT state.keeps <@ excepted.without, keep)"),
    "without": Raw(
        "(SELECT ARRAY(SELECT jsonb_array_elements_text(detail -> 'without')) FROM lifecycle_event"
        " WHERE id = event_id AND detail ? 'without')"
    ),
}
UNNAMED = {"keeps": Raw("NULL"), "keep": Raw("keep"), "without": Raw("NULL::text[]")}

#: the join that gives every row the same tombstone, or none
ONE_TOMBSTONE = Placed(
    "CROSS JOIN (SELECT %(tombstone)s::bigint AS tombstone,"
    " %(tombstoned_at)s::timestamptz AS tombstoned_at) AS tombstone"
)
NO_TOMBSTONE = {"tombstone": None, "tombstoned_at": None, "oldest": None}


class Verdict(NamedTuple):
    """One class of rows: what is to be done with them, and when (`dues`: each its own time).

    `tombstone` is the event of the tombstone under which rows wait for the end of their grace.
    """

    name: str
    tombstone: int | None
    subjects: Subjects
    due: datetime | None
    dues: str | None


def expressions_of(policy: Policy) -> dict[str, Any]:
    """The SQL by which rows of a policy are read, as the policy itself has it."""
    return OWN | (NAMED if policy.conditions else UNNAMED) | told(policy)


def told(policy: Policy) -> dict[str, Any]:
    """How the mails are read without which rows of a policy do not end."""
    return {"notice": Raw("notice") if policy.notice else UNTOLD}


def lock(batch: Batch, subjects: Subjects, then: Query) -> tuple[Subjects, Answer]:
    """Lock the rows, then ask; returns those that are locked. What others hold is relisted."""
    locked, answer = _lock(batch, subjects, then)
    if locked.count < subjects.count:
        _relist_unlocked(batch, subjects, locked)
    return locked, answer


def _lock(batch: Batch, subjects: Subjects, then: Query) -> tuple[Subjects, Answer]:
    """Lock those rows that can be locked now; stubborn ones are waited for, for 300 ms."""
    if batch.source.attempts >= STUBBORN:
        try:
            with transaction.atomic(using=batch.using):
                return _lock_and_ask(batch, subjects, _strength(batch), then)
        except OperationalError:
            pass
    return _lock_and_ask(batch, subjects, _strength(batch) + " SKIP LOCKED", then)


def _lock_and_ask(
    batch: Batch, subjects: Subjects, strength: str, then: Query
) -> tuple[Subjects, Answer]:
    answers = fetch_each(batch.using, _locking(batch, subjects, strength), then)
    return _those_locked(subjects, *answers[0].rows[0]), answers[1]


def lock_rows(batch: Batch, subjects: Subjects, strength: str) -> Subjects:
    """Lock rows in key order by `FOR ...`; returns those that are locked now."""
    return _those_locked(subjects, *fetch(batch.using, *_locking(batch, subjects, strength))[0])


def _locking(batch: Batch, subjects: Subjects, strength: str) -> Query:
    parts = {"strength": Placed(strength), "tables": Raw(locked_tables(batch.policy))}
    text = batch.sql(__file__, "lock", rows=subjects.where(batch.column), **parts)
    return Query(text, batch.params(subjects))


def _those_locked(subjects: Subjects, count: int, keys: str | None) -> Subjects:
    return subjects if count == subjects.count else subjects.narrowed(count, keys or "{}")


def _strength(batch: Batch) -> str:
    """Rows that are only tombstoned or updated keep their key: new children need not wait."""
    stays = batch.source.only_tombstones or not batch.policy.disposition.hides
    return "FOR NO KEY UPDATE" if stays else "FOR UPDATE"


def _relist_unlocked(batch: Batch, subjects: Subjects, locked: Subjects) -> None:
    text = batch.sql(__file__, "unlocked", rows=subjects.where(batch.column))
    params = batch.params(subjects, locked=locked.keys if locked.count else "{}")
    count, keys = fetch(batch.using, text, params)[0]
    if count:
        batch.source.relist_locked(batch.keys(count, keys))


def evaluate(batch: Batch, subjects: Subjects) -> list[Verdict]:
    """What is to be done with each locked row, by everything that is committed now."""
    verdicts = evaluate_rows(batch, subjects, search=batch.source.searches)
    if not batch.source.searches and _may_be_tombstoned(batch, {each.name for each in verdicts}):
        # Rows that were tombstoned before keep that tombstone, where it still counts.
        return evaluate_rows(batch, subjects, search=True)
    return verdicts


def _may_be_tombstoned(batch: Batch, names: set[str]) -> bool:
    """Whether another entry may list these rows under a tombstone.

    A row whose own grace is none now may have had one when it was tombstoned.
    """
    own_grace = batch.policy.disposition.hides and not isinstance(batch.policy.grace, timedelta)
    if own_grace and ("end" in names or ("tombstone" in names and not batch.open)):
        return True
    return "tombstone" in names and batch.source.relisted


def evaluate_rows(batch: Batch, subjects: Subjects, search: bool) -> list[Verdict]:
    """One class of rows each; with `search`, tombstones of other entries count too."""
    source, policy = batch.source, batch.policy
    parts = {"rows": subjects.where("state.key"), "subjects": subjects.whole()}
    parts["tombstones"] = source.tombstones
    counted = groups.count_out(batch, subjects)
    parts |= source.expressions | counted.expressions(batch, source.expressions)
    asked = "unnoticed" if parts["notice"] is UNTOLD else "noticed"
    parts["noticed"] = Placed(batch.sql(__file__, asked, subjects=parts["subjects"]))
    text = batch.sql(__file__, "evaluate", **parts)
    params = counted.params | batch.params(
        subjects, search=search, entries=source.entries, resolution=policy.resolution,
        recheck=policy.recheck, open=batch.open, **source.tombstone_params,
    )  # fmt: skip
    return [
        Verdict(name, tombstone, subjects.narrowed(count, keys), due, dues)
        for name, tombstone, count, due, keys, dues in fetch(batch.using, text, params)
    ]
