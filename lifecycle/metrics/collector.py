"""A collector for prometheus_client: each scrape reads the databases anew."""

from collections.abc import Callable, Iterable, Iterator

from django.core.exceptions import ImproperlyConfigured

try:
    from prometheus_client import REGISTRY, CollectorRegistry
    from prometheus_client.core import (
        CounterMetricFamily,
        GaugeMetricFamily,
        HistogramMetricFamily,
        Metric,
    )
    from prometheus_client.exposition import choose_encoder as choose_encoder  # for the view
    from prometheus_client.registry import Collector
except ImportError as error:
    raise ImproperlyConfigured(
        "Metrics for Prometheus need its client: pip install django-tombstone[prometheus]"
    ) from error

from lifecycle.metrics import names
from lifecycle.metrics.families import Spread, Value, all_families, log_failure

KINDS: dict[str, type[Metric]] = {
    names.GAUGE: GaugeMetricFamily,
    names.COUNTER: CounterMetricFamily,
    names.HISTOGRAM: HistogramMetricFamily,
}


class LifecycleCollector(Collector):
    """What the databases say at each scrape; of those that are looked after, or the named ones.

    Remembers nothing, so that any number of processes may have one. The error of a database that
    does not answer goes to `failed`, by default into the log.
    """

    def __init__(
        self, using: Iterable[str] | None = None, failed: Callable[[Exception], None] | None = None
    ) -> None:
        self.using = using
        self.failed = failed or log_failure

    def describe(self) -> Iterator[Metric]:
        """The metrics without numbers: registering reads no database."""
        return iter([_family(metric) for metric in names.METRICS])

    def collect(self) -> Iterator[Metric]:
        """One message to each database."""
        for name, values in all_families(self.using, self.failed).items():
            family = _family(names.BY_NAME[name])
            for labels, value in values.items():
                _add(family, labels, value)
            yield family


def register(registry: CollectorRegistry = REGISTRY) -> LifecycleCollector:
    """Put a collector onto a registry: by default the one that django-prometheus serves."""
    collector = LifecycleCollector()
    registry.register(collector)
    return collector


def own_registry() -> CollectorRegistry:
    """A registry with these metrics and no others."""
    registry = CollectorRegistry(auto_describe=False)
    register(registry)
    return registry


def _family(metric: names.Metric) -> Metric:
    return KINDS[metric.kind](metric.name, metric.says, labels=metric.labels)  # type: ignore[call-arg]


def _add(family: Metric, labels: tuple[str, ...], value: Value) -> None:
    if isinstance(value, Spread):
        family.add_metric(labels, buckets=value.cumulative, sum_value=value.sum)  # type: ignore[attr-defined]
    else:
        family.add_metric(labels, value)  # type: ignore[attr-defined]
