"""What the database says, as gauges of OpenTelemetry: `observe()` in one process of the site.

Rows, batches and pauses are measured by the workers themselves: see `lifecycle.telemetry`.
"""

import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from django.core.exceptions import ImproperlyConfigured

try:
    from opentelemetry.metrics import CallbackOptions, MeterProvider, Observation, get_meter
except ImportError as error:
    raise ImproperlyConfigured(
        "Gauges for OpenTelemetry need its API: pip install django-tombstone[opentelemetry]"
    ) from error

from lifecycle.metrics import names
from lifecycle.metrics.families import Families, all_families, log_failure

KEPT = 1.0  # seconds: what is asked for metric by metric is read once


class Reading:
    """What was read last, for all gauges of one collection."""

    def __init__(self, using: Iterable[str] | None) -> None:
        self.using = using
        self.found: Families = {}
        self.until = float("-inf")
        self._lock = threading.Lock()

    def of(self, metric: str) -> dict[tuple[str, ...], Any]:
        """The numbers of a metric by its labels."""
        with self._lock:
            if time.monotonic() >= self.until:
                self.found = all_families(self.using, log_failure)
                self.until = time.monotonic() + KEPT
            return self.found[metric]


def observe(
    using: Iterable[str] | None = None, meter_provider: MeterProvider | None = None
) -> None:
    """Make the gauges: of the databases that are looked after, or the named ones.

    Each collection of the site's SDK then reads them. Reads nothing now.
    """
    meter = get_meter("lifecycle", meter_provider=meter_provider)
    reading = Reading(using)
    for metric in names.METRICS:
        if metric.kind == names.GAUGE:
            name, unit = _named(metric.name)
            meter.create_observable_gauge(name, [_callback(reading, metric)], unit, metric.says)


def _callback(
    reading: Reading, metric: names.Metric
) -> Callable[[CallbackOptions], list[Observation]]:
    def observed(options: CallbackOptions) -> list[Observation]:
        labels = [f"lifecycle.{label}" for label in metric.labels]
        return [
            Observation(value, dict(zip(labels, values, strict=True)))
            for values, value in reading.of(metric.name).items()
        ]

    return observed


def _named(name: str) -> tuple[str, str]:
    """`lifecycle_due_rows` as OpenTelemetry names it, and its unit."""
    bare = name.removeprefix("lifecycle_")
    if bare.endswith("_seconds"):
        return f"lifecycle.{bare.removesuffix('_seconds')}", "s"
    return f"lifecycle.{bare}", "1"
