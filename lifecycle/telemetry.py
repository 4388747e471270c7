"""Spans and measures of work for OpenTelemetry, where its API is installed; nothing otherwise.

Only the API: which SDK exports them, and where to, is the site's affair. They say names of policies
and databases, counts and seconds; of an error its class. Never a key, nor a value of a row, nor the
message of an error, in which PostgreSQL repeats values.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

try:
    from opentelemetry import metrics, trace
except ImportError:
    INSTALLED = False
else:
    INSTALLED = True
    SCOPE = "lifecycle"
    # What the API gives before the site has chosen an SDK turns to that one later.
    tracer = trace.get_tracer(SCOPE)
    _meter = metrics.get_meter(SCOPE)
    rows = _meter.create_counter("lifecycle.rows", "{row}", "Rows by what became of them.")
    durations = _meter.create_histogram("lifecycle.batch.duration", "s", "Batches by their time.")
    pauses = _meter.create_counter("lifecycle.throttled", "s", "Pauses between batches.")

Tell = Callable[..., None]


@contextmanager
def span(name: str, **attributes: str | int) -> Iterator[Tell]:
    """A span over the block; what it yields takes further attributes."""
    if not INSTALLED:
        yield _nothing
        return
    with tracer.start_as_current_span(
        f"lifecycle.{name}", attributes=_named(attributes),
        record_exception=False, set_status_on_exception=False,
    ) as found:  # fmt: skip
        try:
            yield lambda **more: found.set_attributes(_named(more))
        except Exception as error:
            kind = type(error).__name__
            found.set_attribute("error.type", kind)
            found.set_status(trace.Status(trace.StatusCode.ERROR, kind))
            raise


@contextmanager
def batch(policy: str, database: str) -> Iterator[Tell]:
    """A span over one batch; what it yields takes the counts of what has committed."""
    began, where = time.monotonic(), {"policy": policy, "database": database}
    with span("batch", **where) as tell:

        def committed(**counts: int) -> None:
            tell(**counts)
            if INSTALLED:
                durations.record(time.monotonic() - began, _named(where))
                for outcome, number in counts.items():
                    rows.add(number, _named(where | {"outcome": outcome}))

        yield committed


def throttled(policy: str, database: str, reasons: list[str], seconds: float) -> None:
    """A pause for each reason."""
    if INSTALLED:
        for reason in reasons:
            where = {"policy": policy, "database": database, "reason": reason}
            pauses.add(seconds, _named(where))


def _nothing(**attributes: Any) -> None:
    return None


def _named(attributes: dict[str, Any]) -> dict[str, Any]:
    return {f"lifecycle.{name}": each for name, each in attributes.items()}
