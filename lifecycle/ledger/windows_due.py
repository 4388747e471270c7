"""Windows due."""

from collections.abc import Callable
from typing import Any

from django.db import DEFAULT_DB_ALIAS, DataError, transaction

from lifecycle.compiler.excepted import HELD, OF_POLICY, excepted
from lifecycle.compiler.keys import label_of
from lifecycle.compiler.policy_sql import compiled
from lifecycle.compiler.windows import is_windowed, window_params, windows_of, within
from lifecycle.db.connection import Placed, Raw, fetch, scalar, statement
from lifecycle.policy.databases import is_at
from lifecycle.policy.policy import Policy
from lifecycle.policy.registry import all_policies

MOST = 10_000  # windows of one reading


def attempt(using: str, read: Callable[[bool], Any]) -> Any:
    """`read(False)`; where `when` fails on some row `read(True)`, which is not to ask it.

    The look, which comes later, finds such a row among the others; none of them waits for it.
    """
    try:
        with transaction.atomic(using=using):
            return read(False)
    except DataError:
        return read(True)


def due_windows(policy: Policy, using: str) -> list[str]:
    """The windows that are due, the oldest first: their starts, as the ledger writes them."""
    found = fetch(using, statement(__file__, "window_due"), {"policy": policy.name})
    return [window for (window,) in found]


def due_rows(policy: Policy, using: str, most: int) -> int:
    """How many rows of windows that are due would be ended, counted no further than `most`."""
    if not (windows := due_windows(policy, using)):
        return 0
    code = compiled(policy)
    column = Placed(code.key_column)
    parts: dict[str, Any] = {"table": code.tables[0], "column": column}
    params = window_params(policy, windows) | {"model": label_of(policy), "most": most}

    def count(any_row: bool) -> int:
        found = parts | {"within": within(policy, any_row)}
        return int(scalar(using, statement(__file__, "window_rows", **found), params))

    if (rows := int(attempt(using, count))) < most:
        return rows
    parts |= {"state_sql": Raw(code.state_sql), "within": within(policy)}
    parts["held"] = excepted(code.key.text("state.key"), HELD)
    return int(scalar(using, statement(__file__, "window_due_rows", **parts), params))


def list_windows(
    policy: Policy, using: str, past: bool, last: str | None = None, most: int = MOST
) -> tuple[int, str | None, int]:
    """Put windows on the agenda that have rows and are not on it: read, last, listed.

    `past`: only those in which some row is past its end; what came with no trigger, or committed
    just after its window was done with, is found so. One look into the index for each window.
    """
    params = windows_of(policy).params | {"policy": policy.name, "model": label_of(policy)}
    params |= {"past": past, "last": last, "most": most}

    def read(any_row: bool) -> tuple[Any, ...]:
        return fetch(using, _listing(policy, any_row), params)[0]

    rows, end, listed, _ = attempt(using, read)
    return rows, end, listed


def _listing(policy: Policy, any_row: bool) -> str:
    code, own = compiled(policy), windows_of(policy, any_row)
    column = Placed(code.key_column)
    parts = own.parts | {"column": column, "kind": Placed(code.key.kind)}
    parts["excepted"] = excepted(code.key.text(column), OF_POLICY)
    low = Placed(own.low("lc_known.start"))
    return statement(__file__, "window_list", table=code.tables[0], low=low, **parts)


def windowed_at(using: str = DEFAULT_DB_ALIAS) -> list[Policy]:
    """The policies that go by windows and whose tables are in a database."""
    return [p for p in all_policies() if is_windowed(p) and is_at(p.model, using)]
