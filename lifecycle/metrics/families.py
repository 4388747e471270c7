"""Metrics with their numbers, from what was read: a list of what each has to show.

Known to no client: `collector` writes it for Prometheus, `otel` for OpenTelemetry.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import django
from django.db import Error

from lifecycle.exceptions import LifecycleError
from lifecycle.logs import Log
from lifecycle.metrics.names import BY_NAME, METRICS, Metric
from lifecycle.metrics.read import STATES, Sample, read
from lifecycle.policy.databases import served

log = Log("lifecycle")

DISTRIBUTION = "django-tombstone"
#: alarms that say that the ledger is not the one that was published, but an older one
RESTORED = ("restored", "forked")
#: what is measured -> its metric; the labels are name, database, and what more there is
DIRECT = {
    "rows": "lifecycle_rows_total",
    "due": "lifecycle_due_rows",
    "oldest": "lifecycle_oldest_due_timestamp_seconds",
    "blocked": "lifecycle_blocked_rows",
    "held": "lifecycle_held_rows",
    "last_pass": "lifecycle_last_pass_timestamp_seconds",
    "throttled": "lifecycle_throttled_seconds_total",
    "dead": "lifecycle_dead_tuple_ratio",
    "unsealed": "lifecycle_unsealed_events",
    "unshipped": "lifecycle_unshipped_events",
}


@dataclass
class Spread:
    """A histogram: how many were in each part, by the part's upper bound as text; and their sum."""

    parts: dict[str, float] = field(default_factory=dict)
    sum: float = 0.0

    @property
    def cumulative(self) -> list[tuple[str, float]]:
        """How many took no longer than each bound."""
        total, found = 0.0, list[tuple[str, float]]()
        for bound in sorted(self.parts, key=float):
            total += self.parts[bound]
            found.append((bound, total))
        return found


Value = float | Spread
Families = dict[str, dict[tuple[str, ...], Value]]  # metric -> its labels' values -> number


def all_families(using: Iterable[str] | None, failed: Callable[[Exception], None]) -> Families:
    """Of each database that is looked after, or of those named; of one that does not answer, that
    it does not, and the error to `failed`.
    """
    found: Families = {metric.name: {} for metric in METRICS}
    found["lifecycle_build_info"][installed(), django.get_version()] = 1.0
    for alias in served() if using is None else using:
        try:
            samples = read(alias)
        except (Error, LifecycleError) as error:
            failed(error)
            found["lifecycle_up"][(alias,)] = 0.0
            continue
        found["lifecycle_up"][(alias,)] = 1.0
        for metric, labels, value in families(samples, alias):
            found[metric.name][labels] = value
    return found


def log_failure(error: Exception) -> None:
    """Of a database that does not answer, with its traceback: for `failed`."""
    log("scrape_failed", "metrics of a database cannot be read")


def installed() -> str:
    """The version of this package; `unknown` in a checkout that is not installed."""
    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:
        return "unknown"


Family = tuple[Metric, tuple[str, ...], Value]


def families(samples: list[Sample], using: str) -> Iterator[Family]:
    """What samples of one database are as metrics."""
    spreads: dict[str, Spread] = {}
    for each in samples:
        if each.measured in DIRECT:
            metric = BY_NAME[DIRECT[each.measured]]
            of = {"policy": each.name, "table": each.name, "database": using}
            labels = tuple(of.get(label, each.more) for label in metric.labels)
            yield metric, labels, each.value
        elif each.measured in MORE:
            yield from MORE[each.measured](each, using)
        elif each.measured == "batches":
            spreads.setdefault(each.name, Spread()).parts[each.more] = each.value
        elif each.measured == "seconds":
            spreads.setdefault(each.name, Spread()).sum = each.value
    for name, spread in spreads.items():
        if spread.parts:
            yield BY_NAME["lifecycle_batch_duration_seconds"], (name, using), spread


def _state(each: Sample, using: str) -> Iterator[Family]:
    metric = BY_NAME["lifecycle_policy_state"]
    for state in STATES:
        yield metric, (each.name, using, state), float(state == each.more)


def _alarm(each: Sample, using: str) -> Iterator[Family]:
    is_restored = float(each.more in RESTORED)
    yield BY_NAME["lifecycle_restore_detected"], (using,), is_restored
    if each.more:
        yield BY_NAME["lifecycle_log_alarm"], (using, each.more), 1.0


MORE: dict[str, Callable[[Sample, str], Any]] = {"state": _state, "alarm": _alarm}
