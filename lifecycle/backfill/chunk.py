"""One chunk of a backfill: rows in the order of their keys, those listed that no entry lists.

A row on which the policy's expression fails is found by halving, and left to the worker.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import DatabaseError, InterfaceError, OperationalError, ProgrammingError, transaction
from psycopg import sql

from lifecycle.compiler.excepted import RESTORED, excepted
from lifecycle.compiler.keys import Key, label_of, subjects_of
from lifecycle.compiler.policy_sql import compiled
from lifecycle.db.connection import Placed, Raw, fetch, sqlstate, statement
from lifecycle.policy.policy import Policy

DAYS = 40  # entries of a chunk beside the overdue ones, at most: under 1,000 for a million rows
FAILURES = 100  # statements of a chunk that may fail; then a part that fails is not halved again

# Sets of integers are stored in order: the part of one between the ends of the chunk is found by
# halving, where keys are spread so wide that each set has some. An array has no range, and
# greatest() takes NULL for no bound: CASE keeps it from listing all numbers of the chunk.
INTEGERS = """
SELECT unnest(owner.subjects_bigint[
    width_bucket((SELECT min(key) FROM wanted), owner.subjects_bigint):
    width_bucket((SELECT max(key) FROM wanted), owner.subjects_bigint)]) UNION ALL
SELECT generate_series(
    CASE WHEN owner.subjects_range IS NOT NULL
        THEN greatest(lower(owner.subjects_range), (SELECT min(key) FROM wanted)) END,
    least(upper(owner.subjects_range) - 1, (SELECT max(key) FROM wanted)))
"""
# Their ends tell whether a set has any.
NEAR = """
coalesce(lower(owner.subjects_range), owner.subjects_bigint[1]) <= (SELECT max(key) FROM wanted)
AND coalesce(upper(owner.subjects_range) - 1,
    owner.subjects_bigint[cardinality(owner.subjects_bigint)]) >= (SELECT min(key) FROM wanted)
"""


@dataclass(frozen=True)
class Found:
    """Of a chunk: rows read, the last key, rows listed, and of these those that cannot be read."""

    rows: int = 0
    last: str | None = None
    listed: int = 0
    failed: int = 0

    def and_then(self, other: "Found") -> "Found":
        """Both, one after the other."""
        rows, listed = self.rows + other.rows, self.listed + other.listed
        last = self.last if other.last is None else other.last
        return Found(rows, last, listed, self.failed + other.failed)


class Lister:
    """Lists rows of one policy by its definition of due; in the caller's transaction.

    With a horizon, only rows that end within it.
    """

    def __init__(self, policy: Policy, using: str, horizon: timedelta | None = None) -> None:
        self.policy, self.using = policy, using
        self.params: dict[str, Any] = {"policy": policy.name, "model": label_of(policy)}
        self.params |= {"horizon": horizon, "resolution": policy.resolution, "days": DAYS}
        self.failures = 0

    def list(self, last: str | None, most: int) -> Found:
        """List what is missing of the first rows after a key."""
        try:
            with transaction.atomic(using=self.using):
                rows, end, listed, _ = self._fetch("backfill", last, most)
                return Found(rows, end, listed)
        except DatabaseError as error:
            if not is_of_one_row(error):
                raise
            self.failures += 1
            if most > 1 and self.failures < FAILURES:
                return self._halve(last, most)
            return self._give_up(last, most, error)

    def _halve(self, last: str | None, most: int) -> Found:
        first = self.list(last, most // 2)
        last = last if first.last is None else first.last
        return first.and_then(self.list(last, most - most // 2))

    def _give_up(self, last: str | None, most: int, error: Exception) -> Found:
        """The worker looks at these rows one by one, when it may."""
        code = sqlstate(error) or "22000"
        rows, end, listed, _ = self._fetch("backfill_failed", last, most, sqlstate=code)
        return Found(rows, end, listed, listed)

    def _fetch(self, name: str, last: str | None, most: int, **others: Any) -> Any:
        code = compiled(self.policy)
        key = code.key
        own: dict[str, Any]
        if name == "backfill":
            column = "key"
            own = {"due_sql": Raw(code.due_sql), "restored": excepted("ends.key::text", RESTORED)}
        else:
            column = sql.Identifier(key.column).as_string()
            own = {"table": code.tables[0], "pk": key.column}
        after = f"{column} > {key.typed('%(last)s')}" if last is not None else "true"
        text = statement(
            __file__, name, after=Placed(after), listed=_listed(key),
            stored_key=Placed(key.stored("key")), key_text=Placed(key.text("key")),
            subjects=Placed(subjects_of(key, "keys")), **own,
        )  # fmt: skip
        params = self.params | others | {"last": last, "chunk": most}
        return fetch(self.using, text, params)[0]


def is_of_one_row(error: Exception) -> bool:
    """Whether the values of some row may be the reason, and not the table or the server."""
    return not isinstance(error, OperationalError | ProgrammingError | InterfaceError)


def _listed(key: Key) -> Placed:
    integers = key.kind == "bigint"
    keys = Placed(INTEGERS if integers else f"SELECT unnest(owner.subjects_{key.kind})")
    near = Placed(NEAR if integers else "true")
    return Placed(statement(__file__, "backfill_listed", keys=keys, near=near))
