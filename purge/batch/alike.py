"""Rows that all have to go the same way: asked in one pass, without looking at each.

Most sets are so: of one event, due at one moment, none of them held or kept. A statement that
begins after the locks, as every evaluation does, counts the rows that pass. Where that is not all
of them, each is evaluated by itself (`purge/batch/evaluate.py`).

A due time is compared with the last tick that has passed: the same as rounding each up, and once.
"""

from datetime import timedelta
from typing import Any

from lifecycle.compiler.groups import groups_of
from lifecycle.db.connection import Placed, fetch, statement
from lifecycle.policy.dispositions import Update
from purge.batch.evaluate import NO_GRACE, ONE_TOMBSTONE, OWN, Verdict
from purge.batch.state import Batch
from purge.batch.subjects import Subjects

NONE = timedelta(0)
#: how a column of `state` is read: by its name, of the rows that `state_sql` selects
OF_STATE = {name: Placed(f"state.{name}") for name in ("matches", "due", "keep", "grace")}


def ask_once(batch: Batch, subjects: Subjects) -> list[Verdict]:
    """The one verdict of all the rows; none where they have to be evaluated one by one."""
    name = expected(batch)
    if not name:
        return []
    due = batch.source.expressions["due"]
    columns = OF_STATE | ({} if due is OWN["due"] else {"due": due})
    rows = subjects.where("state.key")
    parts = {"rows": rows, "passing": passing(subjects, name, columns)}
    text = batch.sql(__file__, "ask_once", **parts)
    params = batch.params(subjects, **params_of(batch))
    count, due = fetch(batch.using, text, params)[0]
    return [Verdict(name, None, subjects, due, None)] if count == subjects.count else []


def expected(batch: Batch) -> str:
    """The verdict that all rows of the batch may have; '' where one has to look at each.

    A row that has a grace of its own, or is listed again, may have its tombstone elsewhere; of one
    that is counted in a group, others have to be locked; one with notices may wait for them.
    """
    source, policy = batch.source, batch.policy
    is_plain = source.tombstones is ONE_TOMBSTONE and batch.state_sql == batch.code.state_sql
    if not is_plain or source.searches or policy.on_request or policy.notice or groups_of(policy):
        return ""
    if source.tombstone_params["tombstone"]:
        return "purge"
    grace = NONE if _has_no_grace(batch) else policy.grace
    if not isinstance(grace, timedelta):
        return ""
    if grace <= NONE and batch.open:
        return "end"
    return "" if source.relisted else "tombstone"


def _has_no_grace(batch: Batch) -> bool:
    """Rows of windows have had it; that of an `Update` is part of the due time."""
    is_update = isinstance(batch.policy.disposition, Update)
    return is_update or batch.source.expressions["grace"] is NO_GRACE


def passing(subjects: Subjects, name: str, columns: dict[str, Any]) -> Placed:
    """SQL: whether a row of a set goes the way `name`; takes `params_of`, and those of the set."""
    grace = statement(__file__, "grace_over", **columns) if name == "purge" else "true"
    parts = columns | {"grace_over": Placed(grace), "subjects": subjects.whole()}
    return Placed(statement(__file__, "passing", **parts))


def params_of(batch: Batch) -> dict[str, Any]:
    """The parameters of `passing`, beside those of the batch."""
    grace = NONE if _has_no_grace(batch) else batch.policy.grace
    wait = grace if isinstance(grace, timedelta) else NONE
    own = {"resolution": batch.policy.resolution, "wait": max(wait, NONE)}
    return own | batch.source.tombstone_params
