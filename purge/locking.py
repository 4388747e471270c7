"""The first half of a batch: lock the rows that can be locked, list the others again."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import OperationalError, transaction

from lifecycle.compile import locked_tables
from lifecycle.db import Placed, Raw, fetch

from .subjects import Subjects

if TYPE_CHECKING:
    from .batch import Batch

STUBBORN = 3  # after so many attempts a locked row is waited for


def lock(batch: "Batch", subjects: Subjects) -> Subjects:
    """Lock the rows and return those that are locked; what others hold is carried."""
    locked = _lock(batch, subjects)
    if locked.count < subjects.count:
        _carry_unlocked(batch, subjects, locked)
    return locked


def _lock(batch: "Batch", subjects: Subjects) -> Subjects:
    """Lock those rows that can be locked now; stubborn ones are waited for, for 300 ms."""
    if batch.picked.attempts >= STUBBORN:
        try:
            with transaction.atomic(using=batch.using):
                return _lock_rows(batch, subjects, "")
        except OperationalError:
            pass
    return _lock_rows(batch, subjects, " SKIP LOCKED")


def _lock_rows(batch: "Batch", subjects: Subjects, skip: str) -> Subjects:
    parts = {
        "strength": Placed(_strength(batch) + skip),
        "tables": Raw(locked_tables(batch.policy)),
    }
    text = batch.sql("lock", rows=subjects.where(batch.column), **parts)
    count, keys = fetch(batch.using, text, batch.params(subjects))[0]
    return subjects if count == subjects.count else subjects.narrowed(count, keys or "{}")


def _strength(batch: "Batch") -> str:
    """Rows that are only tombstoned or updated keep their key: new children need not wait."""
    grace = batch.policy.grace
    only_stones = batch.picked.only_stones and isinstance(grace, timedelta) and bool(grace)
    if batch.override and batch.override.skips_grace:
        only_stones = False
    stays = only_stones or not batch.policy.disposition.hides
    return "FOR NO KEY UPDATE" if stays else "FOR UPDATE"


def _carry_unlocked(batch: "Batch", subjects: Subjects, locked: Subjects) -> None:
    text = batch.sql("unlocked", rows=subjects.where(batch.column))
    params = batch.params(subjects, locked=locked.keys if locked.count else "{}")
    count, keys = fetch(batch.using, text, params)[0]
    if count:
        batch.picked.carry_locked(Subjects(subjects.key, count, keys=keys))


@contextmanager
def without_loops(using: str) -> Iterator[None]:
    """No nested loops until the end of the block, in a transaction; a rollback undoes it as well.

    For joins of sets of which the planner knows no size: it takes them for small.
    """
    with _planned_without(using, "enable_nestloop"):
        yield


@contextmanager
def in_order_of_index(using: str) -> Iterator[None]:
    """The same: rows by an index in its order, where there is one, and no more than are asked for.

    A planner that takes few rows for likely reads all of them and sorts.
    """
    with _planned_without(using, "enable_sort", "enable_bitmapscan"):
        yield


@contextmanager
def _planned_without(using: str, *names: str) -> Iterator[None]:
    read = ", ".join(f"current_setting('{name}')" for name in names)
    switch = ", ".join(f"set_config('{name}', %({name})s, true)" for name in names)
    off = dict.fromkeys(names, "off")
    before = fetch(using, f"SELECT {read}, {switch}", off)[0]
    yield
    fetch(using, f"SELECT {switch}", dict(zip(names, before, strict=False)))
