"""Checks that ask PostgreSQL about a policy's SQL: whether it takes it, and what it calls."""

import re
from collections.abc import Iterator

from django.core.checks import CheckMessage
from django.db import DatabaseError, transaction

from lifecycle.checks import policy_query as reading
from lifecycle.checks.messages import warning
from lifecycle.db.connection import fetch, statement
from lifecycle.policy.policy import Policy

CALL = re.compile(r"\b([a-z_]\w*)\s*\(", re.IGNORECASE)


def accepted(policy: Policy, using: str) -> Iterator[CheckMessage]:
    """W108: PostgreSQL refuses the policy's SQL, so every write would be `capture_failed`."""
    text = reading.state_sql(policy)
    if not text:
        return
    try:
        with transaction.atomic(using=using):
            fetch(using, f"EXPLAIN {text}")
    except DatabaseError as refused:
        reason = str(refused).splitlines()[0]
        hint = "Run it by hand: RawSQL and casts are not seen by the ORM. After a change, migrate."
        yield warning(108, f"PostgreSQL refuses the policy's SQL: {reason}", hint, policy)


def steady(policy: Policy, using: str) -> Iterator[CheckMessage]:
    """W109: `when` or `expires` call a function that PostgreSQL calls volatile."""
    names = sorted({name.lower() for name in CALL.findall(reading.due_sql(policy))})
    for (name,) in fetch(using, statement(__file__, "volatile"), {"names": names}):
        text = f"`when` and `expires` call {name}(), which is volatile."
        hint = "If it is not, declare it IMMUTABLE or STABLE; else compute a column from it."
        yield warning(109, text, hint, policy)
