"""Rows of which no trigger would tell that they have gone: they stay.

A trigger may be disabled, a table swapped for a copy that has none, a session be one in which
triggers do not fire. The engine writes no ending of its own, so nothing may end there.
"""

from collections.abc import Iterable
from typing import Any

from lifecycle.db.connection import fetch
from lifecycle.db.tables import quoted, table_of
from lifecycle.policy.registry import policies_of
from purge.batch.state import Batch
from purge.exceptions import Unrecorded


def refuse_unrecorded(batch: Batch, models: Iterable[Any]) -> None:
    """Raise `Unrecorded` where no trigger has seen rows of these models go, which has to.

    Asked once the DELETE has its lock on the tables: no trigger goes between then and the commit.
    """
    watched = [m for m in models if any(p.capture.triggers for p in policies_of(m))]
    params = {"names": [*map(table_of, watched)], "tables": quoted(batch.using, watched)}
    found = fetch(batch.using, batch.sql(__file__, "unrecorded"), params) if watched else ()
    if names := ", ".join(name for (name,) in found):
        raise Unrecorded(f"no trigger sees rows of {names} go: `manage.py lifecycle install`")
