"""Read what the metrics say of a database: by one message to it, in bounded time.

Nothing is read of a process: numbers are the same whoever is asked, and go on where workers start
anew. Of large tables no more is read than page one shows, by their indexes.
"""

from datetime import datetime
from typing import Any, NamedTuple

from lifecycle import hooks
from lifecycle.conf import conf
from lifecycle.db.connection import Answer, Query, answers_of, statement
from lifecycle.db.tables import PENDING, table_of
from lifecycle.db.version import VERSION
from lifecycle.exceptions import LifecycleError
from lifecycle.insight import capped
from lifecycle.insight.media_status import FILES
from lifecycle.insight.status import waits_since
from lifecycle.metrics.connection import opened
from lifecycle.models import AgendaEntry, Event, PolicyState
from lifecycle.policy.databases import is_at
from lifecycle.policy.policy import Policy
from lifecycle.policy.registry import all_policies

MOST = 10_000  # events, or entries for files, that are counted
PARTS = 3  # statements that take time: each has its share of it
OF_DATABASE = ("alarm", "now", "seen", "unsealed", "unshipped", "unshipped_since")
HELD = "held"  # in place of `enabled`: a hold is on all of the table
STATES = (*PolicyState.State.values, HELD)


class Sample(NamedTuple):
    """One number: what is measured, of which policy or table, and what more there is to say.

    The acting app's statement (`lifecycle.hooks.ActingApp.measures`) answers in these columns, of

        rows       by outcome
        batches    those that took no longer than `more` seconds and longer than the one before;
                   `+Inf` for the rest
        seconds    of all batches
        last_pass  a Unix time
        throttled  seconds, by reason
        seen       a Unix time: when a worker last looked, of the whole database

    and in `name` the policy, empty for files.
    """

    measured: str
    name: str
    more: str
    value: float


def read(using: str) -> list[Sample]:
    """Everything of one database; raises what the database raises, and `LifecycleError` where it
    has another version of the package.
    """
    policies = _declared(using)
    queries = (capped.query(policies, len(policies)), _measures(using, policies), *_acting())
    lines, *others = _answers(using, *queries)
    found = capped.counted(lines.rows, len(policies))
    return [*_of_policies(found, policies, using), *_samples(others)]


def read_health(using: str) -> list[Sample]:
    """What needs no count of rows: states, the log, when a worker last looked."""
    states, *others = _answers(using, _states(), _measures(using, {}), *_acting())
    return _samples([states, *others])


def _declared(using: str) -> dict[str, Policy]:
    return {policy.name: policy for policy in all_policies() if is_at(policy.model, using)}


def _states() -> Query:
    return Query(statement(__file__, "states"))


def _acting() -> list[Query]:
    found = hooks.measures()
    return [Query(*found)] if found else []


def _measures(using: str, policies: dict[str, Policy]) -> Query:
    own = [*(table_of(model) for model in (Event, AgendaEntry)), PENDING]
    tables = sorted({*own, *(table_of(policy.model) for policy in policies.values())})
    params = {"most": MOST, "sealed": bool(conf.PROOF), "tables": tables}
    return Query(statement(__file__, "measures"), params)


def _answers(using: str, *queries: Query) -> list[Answer]:
    share = f"{int(1000 * conf.METRICS_TIMEOUT / PARTS)}ms"
    limits = Query(statement(__file__, "limits"), {"milliseconds": share})
    with opened(using) as connection, connection.cursor() as cursor:
        first, *others = answers_of(cursor, limits, *queries)
    found = first.rows[0][-1]
    if found != VERSION:
        raise LifecycleError(f"The database has {found} of the package, this code needs {VERSION}.")
    return others


def _samples(answers: list[Answer]) -> list[Sample]:
    """As the statements say it; what is of no policy is of files."""
    lines = (Sample(*row) for answer in answers for row in answer.rows)
    return [
        each if each.name or each.measured in OF_DATABASE else each._replace(name=FILES)
        for each in lines
        if each.value is not None
    ]


def _of_policies(found: capped.Capped, policies: dict[str, Policy], using: str) -> list[Sample]:
    samples: list[Sample] = []
    for line in found.lines:
        if line[0] in policies or any(line[3:9]):  # others may have rows in another database
            samples += _of_policy(line, found.counts[line[0]], policies.get(line[0]))
    return samples


def _of_policy(line: tuple[Any, ...], counts: capped.Counts, policy: Policy | None) -> list[Sample]:
    name, _, state, *_ = line
    since, now, barred = line[11], line[12], line[14]
    is_held = barred and state == PolicyState.State.ENABLED
    samples = [
        Sample("due", name, "", counts.due.number),
        Sample("blocked", name, "", counts.blocked.number),
        Sample("held", name, "", counts.held.number),
        Sample("state", name, HELD if is_held else state, 1),
    ]
    waits: datetime | None = waits_since(policy, since, now)
    return samples + ([Sample("oldest", name, "", waits.timestamp())] if waits else [])
