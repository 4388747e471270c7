"""The events `noticed`, and the lines of mails that have not gone."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from psycopg.types.json import Jsonb

from lifecycle.compiler.keys import key_of, label_of
from lifecycle.compiler.policy_sql import compiled
from lifecycle.conf import conf
from lifecycle.db.connection import Placed, fetch, own_transaction, set_local, statement
from lifecycle.policy.policy import Policy

LEASE = timedelta(minutes=10)


class Line(NamedTuple):
    """One mail that somebody has begun; no other worker begins it until the lease is over.

    `sent` where it went, and was not recorded.
    """

    id: int
    policy: str
    key: str
    number: int
    ends: datetime
    attempts: int
    sent: bool


def write(
    policy: Policy, using: str, subjects: Placed, said: dict[str, Any], detail: dict[str, Any],
    due: datetime | None = None,
) -> None:  # fmt: skip
    """Append one event about rows of a policy."""
    text = statement(__file__, "write", subjects=subjects)
    params = {"policy": policy.name, "model": label_of(policy), "detail": Jsonb(detail)}
    fetch(using, text, params | said | {"due": due})


def write_of(
    policy: Policy, using: str, key: str, detail: dict[str, Any], due: datetime | None
) -> None:
    """Append one event about one row."""
    subjects = Placed(f"lifecycle.one_v1('{compiled(policy).key.kind}', %(key)s::text)")
    write(policy, using, subjects, {"key": key, "count": 1}, detail, due)


def lock_row(policy: Policy, key: str, using: str) -> bool:
    """Lock a row as a write of other columns would; whether it is there. Waits for 10 seconds."""
    set_local(using, lock_timeout="10s")
    own = key_of(policy.model)
    parts = {"table": compiled(policy).tables[0], "column": own.column}
    text = statement(__file__, "lock_row", typed=Placed(own.typed("%(key)s")), **parts)
    return bool(fetch(using, text, {"key": key}))


def claim(policies: list[str], using: str) -> Line | None:
    """The mail that is due first of some policies, as far as more may go in this hour."""
    params = {"policies": policies, "lease": LEASE, "most": conf.NOTICES_PER_HOUR}
    with own_transaction(using):
        found = fetch(using, statement(__file__, "claim"), params)
    return Line(*found[0]) if found else None


def note_sent(line: Line, using: str) -> None:
    """The mail has gone: should it not be recorded now, it is later, and not sent again."""
    fetch(using, statement(__file__, "sent"), _which(line))


def drop(line: Line, using: str) -> None:
    """Take a line away that is done with, or not wanted any more."""
    fetch(using, statement(__file__, "done"), _which(line))


def _which(line: Line) -> dict[str, Any]:
    return {"id": line.id, "number": line.number, "ends": line.ends}


def put_off(line: Line, using: str, wait: timedelta, error: str) -> None:
    """Try it again after a while; `error` is a kind."""
    params = {"id": line.id, "attempts": line.attempts, "wait": wait, "error": error}
    fetch(using, statement(__file__, "failed"), params)
