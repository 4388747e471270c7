"""Rows that were there before their policy, or came past the triggers: list them too."""

from collections.abc import Iterator
from typing import Any

from django.db import DEFAULT_DB_ALIAS, DataError, transaction

from .compile import compiled
from .db import Placed, Raw, fetch, statement
from .keys import label_of, subjects_of
from .policy import Policy
from .registry import get_policy

CHUNK = 10_000


def backfill(name: str, using: str = DEFAULT_DB_ALIAS) -> Iterator[int]:
    """List every row of a policy's table that has an end; yields the rows read so far.

    Goes through the table by key, a transaction a chunk. A row that is listed already, or changes
    meanwhile, is listed twice at most, which the worker finds out: nothing ends early or twice.
    Due times of a chunk are listed as those of one statement are; where the policy's expression
    fails on a row, the whole chunk is left to the worker.
    """
    policy = get_policy(name)
    params = {"policy": name, "model": label_of(policy), "resolution": policy.resolution}
    last: Any = None
    read = 0
    while True:
        rows, last = _list(policy, using, params | {"last": last, "chunk": CHUNK})
        if not rows:
            return
        read += rows
        yield read


def _list(policy: Policy, using: str, params: dict[str, Any]) -> tuple[int, Any]:
    """List one chunk: the number of its rows and the last key."""
    try:
        with transaction.atomic(using=using):
            rows, last, _ = fetch(using, _statement(policy, "backfill"), params)[0]
    except DataError as error:
        params |= {"sqlstate": getattr(error.__cause__, "sqlstate", None) or "22000"}
        with transaction.atomic(using=using):
            rows, last, _ = fetch(using, _statement(policy, "backfill_failed"), params)[0]
    return rows, last


def _statement(policy: Policy, name: str) -> str:
    code = compiled(policy)
    parts: dict[str, Any] = {"kind": Placed(code.key.kind), "type": Placed(code.key.db_type)}
    parts |= {"due_sql": Raw(code.due_sql), "subjects": Placed(subjects_of(code.key, "keys"))}
    return statement(__file__, name, table=code.tables[0], pk=code.key.column, **parts)
