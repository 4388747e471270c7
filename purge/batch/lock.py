"""The first half of a batch: lock the rows that can be locked, list the others again."""

from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import OperationalError, transaction

from lifecycle.compiler.policy_sql import locked_tables
from lifecycle.db.connection import Placed, Raw, fetch
from purge.batch.state import STUBBORN
from purge.batch.subjects import Subjects

if TYPE_CHECKING:
    from purge.batch.state import Batch


def lock(batch: "Batch", subjects: Subjects) -> Subjects:
    """Lock the rows and return those that are locked; what others hold is relisted."""
    locked = _lock(batch, subjects)
    if locked.count < subjects.count:
        _relist_unlocked(batch, subjects, locked)
    return locked


def _lock(batch: "Batch", subjects: Subjects) -> Subjects:
    """Lock those rows that can be locked now; stubborn ones are waited for, for 300 ms."""
    if batch.source.attempts >= STUBBORN:
        try:
            with transaction.atomic(using=batch.using):
                return lock_rows(batch, subjects, _strength(batch))
        except OperationalError:
            pass
    return lock_rows(batch, subjects, _strength(batch) + " SKIP LOCKED")


def lock_rows(batch: "Batch", subjects: Subjects, strength: str) -> Subjects:
    """Lock rows in key order by `FOR ...`; returns those that are locked now."""
    parts = {"strength": Placed(strength), "tables": Raw(locked_tables(batch.policy))}
    text = batch.sql(__file__, "lock", rows=subjects.where(batch.column), **parts)
    count, keys = fetch(batch.using, text, batch.params(subjects))[0]
    return subjects if count == subjects.count else subjects.narrowed(count, keys or "{}")


def _strength(batch: "Batch") -> str:
    """Rows that are only tombstoned or updated keep their key: new children need not wait."""
    grace = batch.policy.grace
    none_tombstoned = batch.source.none_tombstoned and isinstance(grace, timedelta) and bool(grace)
    if batch.override and batch.override.skips_grace:
        none_tombstoned = False
    stays = none_tombstoned or not batch.policy.disposition.hides
    return "FOR NO KEY UPDATE" if stays else "FOR UPDATE"


def _relist_unlocked(batch: "Batch", subjects: Subjects, locked: Subjects) -> None:
    text = batch.sql(__file__, "unlocked", rows=subjects.where(batch.column))
    params = batch.params(subjects, locked=locked.keys if locked.count else "{}")
    count, keys = fetch(batch.using, text, params)[0]
    if count:
        batch.source.relist_locked(Subjects(subjects.key, count, keys=keys))
