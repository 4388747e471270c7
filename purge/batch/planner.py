"""Planner."""

from collections.abc import Iterator
from contextlib import contextmanager

from lifecycle.db.connection import fetch


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
