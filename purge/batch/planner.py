"""Planner."""

from collections.abc import Iterator
from contextlib import contextmanager

from lifecycle.db.connection import local_settings


@contextmanager
def without_loops(using: str) -> Iterator[None]:
    """No nested loops until the end of the block, in a transaction; a rollback undoes it as well.

    For joins of sets of which the planner knows no size: it takes them for small.
    """
    with local_settings(using, enable_nestloop="off"):
        yield


@contextmanager
def in_order_of_index(using: str) -> Iterator[None]:
    """The same: rows by an index in its order, where there is one, and no more than are asked for.

    A planner that takes few rows for likely reads all of them and sorts.
    """
    with local_settings(using, enable_sort="off", enable_bitmapscan="off"):
        yield
