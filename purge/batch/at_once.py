"""Rows that are evaluated and deleted by one statement, where nothing has to be seen in between.

Deletes people's data. The statement begins after the locks, so that it sees every hold, restore and
keeper that was committed before it, and it deletes only rows that pass by themselves. All of the
batch go by it, or it is taken back: then each row is evaluated, and deleted by another statement.
"""

from typing import Any

from lifecycle.compiler.policy_sql import columns_of
from lifecycle.compiler.windows import counts_only
from lifecycle.db.connection import Raw
from lifecycle.policy.dispositions import Purge
from purge.batch import act
from purge.batch.alike import expected, params_of, passing
from purge.batch.cascade.delete import goes_alone
from purge.batch.evaluate import OWN
from purge.batch.savepoint import take_back
from purge.batch.state import Batch
from purge.batch.subjects import Passing, Subjects
from purge.exceptions import NotAlike

SPARED = 8  # batches of a policy that are not tried after one of which some row stayed

_mixed: dict[tuple[str, str], int] = {}  # (database, policy) -> batches that are not tried now


def end_alike(batch: Batch, subjects: Subjects) -> bool:
    """Delete the rows if all of them have to go; False where nothing was done."""
    name = expected(batch)
    if name not in act.ENDS or not _is_simple(batch, subjects) or _is_spared(batch):
        return False
    before = batch.outcome.copy()
    try:
        act.delete(batch, subjects, _passing(batch, subjects, name))
    except Exception as error:
        take_back(batch)
        if not isinstance(error, NotAlike):
            raise
        batch.outcome = before
        _mixed[batch.using, batch.policy.name] = SPARED
        return False
    batch.outcome.looked += subjects.count
    batch.outcome.fresh += subjects.count if name == "end" else 0
    return True


def _is_simple(batch: Batch, subjects: Subjects) -> bool:
    """Whether the rows are deleted here and now, of one table, and nobody wants to see them."""
    is_plain = type(batch.policy.disposition) is Purge and not batch.erasure
    is_real = not (batch.dry or batch.collect_keys)
    is_named = not (subjects.event and counts_only(batch.policy.model))
    if not (is_plain and is_real and is_named and columns_of(batch.policy)):
        return False
    return batch.source.expressions["due"] is OWN["due"] and goes_alone(batch)


def _is_spared(batch: Batch) -> bool:
    """Whether one of the last batches had a row that stayed: the next ones may have as well."""
    place = (batch.using, batch.policy.name)
    left = _mixed.get(place, 0)
    if left:
        _mixed[place] = left - 1
    return bool(left)


def _passing(batch: Batch, subjects: Subjects, name: str) -> Passing:
    columns: Any = columns_of(batch.policy)
    own = {each: Raw(f"({text})") for each, text in columns.items()}
    condition = passing(subjects, name, own)
    return Passing(condition, params_of(batch))
