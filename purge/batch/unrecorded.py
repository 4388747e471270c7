"""Rows of which no trigger would tell that they have gone: they stay.

A trigger may be disabled, a table swapped for a copy that has none, a session be one in which
triggers do not fire. The engine writes no ending of its own, so nothing may end there. Asked once
the DELETE has its lock on the tables: no trigger goes between then and the commit.
"""

from collections.abc import Iterable
from typing import Any

from lifecycle.db.tables import quoted, table_of
from lifecycle.policy.registry import policies_of
from purge.exceptions import Unrecorded


def watched(using: str, models: Iterable[Any]) -> dict[str, list[str]]:
    """The tables of those models whose rows a trigger has to see go, as two parameters."""
    found = [m for m in models if any(p.capture.triggers for p in policies_of(m))]
    return {"names": [*map(table_of, found)], "tables": quoted(using, found)}


def refuse_unrecorded(tables: Iterable[str]) -> None:
    """Raise `Unrecorded` where there are tables from which rows went unseen."""
    if names := ", ".join(tables):
        raise Unrecorded(f"no trigger sees rows of {names} go: `manage.py lifecycle install`")
