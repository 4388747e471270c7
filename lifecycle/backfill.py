"""Rows that were there before their policy, or came past the triggers: list them too."""

from collections.abc import Iterator
from typing import Any

from django.db import DEFAULT_DB_ALIAS, transaction

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
    Due times of a chunk are listed as those of one statement are.
    """
    policy = get_policy(name)
    text = _statement(policy)
    last: Any = None
    read = 0
    while True:
        params = {"policy": name, "model": label_of(policy), "last": last, "chunk": CHUNK}
        with transaction.atomic(using=using):
            rows, last, _ = fetch(using, text, params | {"resolution": policy.resolution})[0]
        if not rows:
            return
        read += rows
        yield read


def _statement(policy: Policy) -> str:
    code = compiled(policy)
    parts: dict[str, Raw] = {"kind": Placed(code.key.kind), "type": Placed(code.key.db_type)}
    parts |= {"due_sql": Raw(code.due_sql), "subjects": Placed(subjects_of(code.key, "keys"))}
    return statement(__file__, "backfill", **parts)
