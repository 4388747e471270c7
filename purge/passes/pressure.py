"""Whether the database is under pressure, so that a pass has to slow down.

Each kind is a measure with a limit, of LIFECYCLE_THROTTLE; it says for people what it is. What the
role may not see, or what is not there, is no pressure: a check names roles that see no replicas.
"""

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_noop as _

from lifecycle.compiler.policy_sql import compiled
from lifecycle.conf import THROTTLE_LIMITS, conf
from lifecycle.db.connection import fetch, statement
from lifecycle.phrases import figure, locally, phrase
from lifecycle.policy.policy import Policy

MANY = 1_000_000  # dead rows; of fewer autovacuum makes short work, whatever their share
Measures = dict[str, float]

#: the measure, its limit, and how both are rounded
TEXTS = {
    "replica_lag": (
        _("a replica is %(measured)s s behind, %(most)s s are allowed"), "{:.1f}", "{:g}"
    ),
    "retained_wal": (
        _("%(measured)s MB of WAL are kept for a replica or a slot, %(most)s are allowed"),
        "{:.0f}", "{:.0f}",
    ),
    "wal_rate": (
        _("the server writes %(measured)s MB of WAL a second, %(most)s are allowed"),
        "{:.0f}", "{:.0f}",
    ),
    "dead_rows": (
        _(
            "%(measured)s of the table's rows are dead and not yet vacuumed, %(most)s are allowed"
        ),
        "{:.0%}", "{:.0%}",
    ),
    "lock_wait": (
        _("somebody has waited %(measured)s s for a lock on the table, %(most)s s are allowed"),
        "{:.1f}", "{:g}",
    ),
    "batch_time": (
        _("the smallest batch takes %(measured)s s, %(most)s s are allowed"), "{:.2f}", "{:g}"
    ),
}  # fmt: skip
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
    text, *forms = TEXTS[name]
    given, allowed = (
        figure(form.format(each / unit)) for form, each in zip(forms, (measured, most), strict=True)
    )
    said = phrase(text, measured=given, most=allowed)
    return phrase("%(text)s, since %(time)s", text=said, time=locally(since)) if since else said
