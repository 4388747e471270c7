"""Whether the database is under pressure, so that a pass has to slow down.

Each kind is a measure with a limit, of LIFECYCLE_THROTTLE; it says for people what it is. What the
role may not see, or what is not there, is no pressure: a check names roles that see no replicas.
"""

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.timezone import localtime

from lifecycle.compiler.policy_sql import compiled
from lifecycle.conf import THROTTLE_LIMITS, conf
from lifecycle.db.connection import fetch, statement
from lifecycle.policy.policy import Policy

MANY = 1_000_000  # dead rows; of fewer autovacuum makes short work, whatever their share
Measures = dict[str, float]

TEXTS = {
    "replica_lag": "a replica is {0:.1f} s behind, {1:g} s are allowed",
    "retained_wal": "{0:.0f} MB of WAL are kept for a replica or a slot, {1:.0f} are allowed",
    "wal_rate": "the server writes {0:.0f} MB of WAL a second, {1:.0f} are allowed",
    "dead_rows": "{0:.0%} of the table's rows are dead and not yet vacuumed, {1:.0%} are allowed",
    "lock_wait": "somebody has waited {0:.1f} s for a lock on the table, {1:g} s are allowed",
    "batch_time": "the smallest batch takes {0:.2f} s, {1:g} s are allowed",
}
ASKED = ("replica_lag", "retained_wal", "dead_rows", "lock_wait")
MEGABYTES = ("retained_wal", "wal_rate")


@dataclass
class Sample:
    """Where the server's WAL was, and when: two of them are a rate."""

    position: float
    at: float  # of `time.monotonic()`


def limits() -> Measures:
    """The limits in force, by measure; none where throttling is off."""
    if conf.THROTTLE is None:
        return {}
    return {k: v for k, v in (THROTTLE_LIMITS | conf.THROTTLE).items() if v is not None}


def over(measures: Measures) -> Measures:
    """Those of the measures that are over their limits."""
    most = limits()
    return {name: each for name, each in measures.items() if each > most.get(name, each)}


def measure(policy: Policy, using: str, last: Sample | None) -> tuple[Measures, Sample]:
    """What the database says of itself and of the policy's tables; and the sample to go on from."""
    params: dict[str, Any] = {"tables": list(compiled(policy).tables), "many": MANY}
    ((position, *values),) = fetch(using, statement(__file__, "measure"), params)
    now = Sample(float(position or 0), time.monotonic())
    found = dict(
        zip(("replica_lag", "retained_wal", "dead_rows", "lock_wait"), values, strict=True)
    )
    if last and position is not None and now.at > last.at:
        found["wal_rate"] = (now.position - last.position) / (now.at - last.at)
    return {name: float(each) for name, each in found.items() if each is not None}, now


def in_words(name: str, measured: float, since: datetime | None = None) -> str:
    """A measure for people, with its limit as it is now, and since when it slows down."""
    most = limits().get(name, THROTTLE_LIMITS[name])
    unit = 1024.0**2 if name in MEGABYTES else 1.0
    text = TEXTS[name].format(measured / unit, most / unit)
    return f"{text}, since {localtime(since):%Y-%m-%d %H:%M:%S}" if since else text
