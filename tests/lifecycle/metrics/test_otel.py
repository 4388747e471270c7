"""What OpenTelemetry is told: of each part of the work, and nothing of anybody's rows."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import DataError
from django.utils import timezone
from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from lifecycle import telemetry
from lifecycle.metrics import otel
from lifecycle.policy.registry import get_policy
from lifecycle.sealing import log as logs
from purge.media.run import run_media
from purge.models import Total
from purge.passes import pressure, throttle
from purge.passes.options import PassOptions
from purge.runner import run_due, run_policy
from tests.purge.archive.engine import archiving
from tests.purge.proof.support import ORIGIN, USING, in_folder, publish
from tests.zoo.models import Token

pytestmark = pytest.mark.django_db(transaction=True)
SECRET = "a value of a row"


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(telemetry, "tracer", provider.get_tracer("lifecycle"))
    yield exporter
    provider.shutdown()


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[MeterProvider, Any]]:
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader])
    meter = provider.get_meter("lifecycle")
    monkeypatch.setattr(telemetry, "rows", meter.create_counter("lifecycle.rows"))
    monkeypatch.setattr(telemetry, "pauses", meter.create_counter("lifecycle.throttled"))
    made = meter.create_histogram("lifecycle.batch.duration")
    monkeypatch.setattr(telemetry, "durations", made)
    yield provider, reader
    provider.shutdown()


def points(reader: InMemoryMetricReader) -> dict[str, dict[frozenset[Any], Any]]:
    """By metric: its points by their attributes."""
    data: Any = reader.get_metrics_data()
    metrics = (m for each in data.resource_metrics for s in each.scope_metrics for m in s.metrics)
    return {
        metric.name: {frozenset(each.attributes.items()): each for each in metric.data.data_points}
        for metric in metrics
    }


def named(spans: InMemorySpanExporter, name: str) -> list[ReadableSpan]:
    return [each for each in spans.get_finished_spans() if each.name == f"lifecycle.{name}"]


def tokens(count: int) -> None:
    past = timezone.now() - timedelta(hours=1)
    Token.objects.bulk_create(Token(expires_at=past, label=SECRET) for _ in range(count))


def test_a_pass_and_its_batches(spans: InMemorySpanExporter) -> None:
    tokens(3)
    run_policy(get_policy("tokens"))
    (whole,) = named(spans, "pass")
    assert whole.attributes == {"lifecycle.policy": "tokens", "lifecycle.database": "default"}
    first, *_ = named(spans, "batch")
    assert first.parent == whole.context
    assert first.attributes is not None
    assert first.attributes["lifecycle.purged"] == 3
    assert SECRET not in "".join(each.to_json() for each in spans.get_finished_spans())


def test_passes_in_turn_do_not_mix_their_spans(spans: InMemorySpanExporter) -> None:
    tokens(3)
    run_due()
    (whole,) = named(spans, "pass")
    parts = (*named(spans, "batch"), *named(spans, "media"))
    assert {each.parent.span_id for each in parts if each.parent} == {whole.context.span_id}
    assert all(each.parent for each in parts)
    assert trace.get_current_span() is trace.INVALID_SPAN


def test_media_and_archive(spans: InMemorySpanExporter, settings: Any, tmp_path: Path) -> None:
    settings.LIFECYCLE_ARCHIVE_DIR = str(tmp_path)
    run_media()
    assert len(named(spans, "media")) == 1
    tokens(2)
    with archiving("tokens") as policy:
        run_policy(policy)
    (archive,) = named(spans, "archive")
    assert archive.attributes == {"lifecycle.policy": "tokens", "lifecycle.database": "default"}
    assert not Token.objects.exists()


def test_publishing(spans: InMemorySpanExporter, tmp_path: Path) -> None:
    logs.open_log(USING, 1, f"{ORIGIN}/1")
    with in_folder(tmp_path):
        tokens(3)
        total = publish()
        publish()
    (shipping,) = named(spans, "shipping")
    assert shipping.attributes == {"lifecycle.database": USING, "lifecycle.events": total}
    assert total > 0


def test_an_error_is_told_by_its_class(spans: InMemorySpanExporter) -> None:
    with pytest.raises(DataError), telemetry.span("batch", policy="tokens"):
        raise DataError(SECRET)
    (failed,) = spans.get_finished_spans()
    assert failed.status.status_code is trace.StatusCode.ERROR
    assert "DataError" in failed.to_json()
    assert SECRET not in failed.to_json()
    assert failed.events == ()


def test_what_a_worker_measures(measured: tuple[MeterProvider, Any]) -> None:
    tokens(3)
    run_policy(get_policy("tokens"), PassOptions(dry=True))
    run_policy(get_policy("tokens"))
    telemetry.throttled("tokens", "default", ["wal_rate"], 2.5)
    found = points(measured[1])
    of = {"lifecycle.policy": "tokens", "lifecycle.database": "default"}
    purged = found["lifecycle.rows"][frozenset((of | {"lifecycle.outcome": "purged"}).items())]
    assert purged.value == 3
    durations = found["lifecycle.batch.duration"][frozenset(of.items())]
    assert durations.count == Total.objects.get(policy="tokens").batches
    assert 0 < durations.sum < 60
    reason = frozenset((of | {"lifecycle.reason": "wal_rate"}).items())
    assert found["lifecycle.throttled"][reason].value == 2.5


def test_a_pause_is_measured(
    measured: tuple[MeterProvider, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pressure, "over", lambda measures: {"wal_rate": 1.0})
    place = throttle.Place()
    throttle._look(place, get_policy("tokens"), "default")
    (point,) = points(measured[1])["lifecycle.throttled"].values()
    assert point.value == place.pause > 0


def test_the_gauges_of_one_collection_are_one_reading(
    measured: tuple[MeterProvider, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens(3)
    read, all_families = list[Any](), otel.all_families
    monkeypatch.setattr(
        otel, "all_families", lambda *given: read.append(given) or all_families(*given)
    )
    otel.observe(meter_provider=measured[0])
    assert read == []
    found = points(measured[1])
    assert len(read) == 1
    of = frozenset({"lifecycle.policy": "tokens", "lifecycle.database": "default"}.items())
    assert found["lifecycle.due_rows"][of].value == 3
    assert found["lifecycle.oldest_due_timestamp"][of].value > 0
    assert found["lifecycle.up"][frozenset({("lifecycle.database", "default")})].value == 1
