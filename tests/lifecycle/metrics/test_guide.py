"""The code of the guide, as it is written there."""

import re
from typing import Any

import pytest
from prometheus_client import REGISTRY
from prometheus_client.registry import CollectorRegistry

from lifecycle.conf import Conf
from lifecycle.metrics import collector, otel, views
from lifecycle.metrics.health_checks import RetentionCheck
from tests.infra.servers import ROOT

GUIDE = (ROOT / "docs/how-to/watch-it.md").read_text(encoding="utf-8")


def example(name: str, **known: Any) -> dict[str, Any]:
    """What an example of the guide defines; lines in a list are indented there."""
    found = re.search(rf" *<!-- metrics: {name} -->\n *```python\n(.*?) *```", GUIDE, re.DOTALL)
    assert found
    lines = [line.removeprefix("  ") if "\n  from" in f"\n{found[1]}" else line
             for line in found[1].splitlines()]  # fmt: skip
    exec("\n".join(lines), known)
    return known


def test_the_address() -> None:
    (one,) = example("urls")["urlpatterns"]
    assert (one.callback, str(one.pattern)) == (views.metrics, "metrics/retention")


def test_the_token() -> None:
    class System:
        environ = {"LIFECYCLE_METRICS_TOKEN": "sixteen or more of them"}

    assert example("settings", os=System)["LIFECYCLE_METRICS_TOKEN"] == "sixteen or more of them"
    assert Conf.METRICS_TOKEN == ""


def test_the_checks() -> None:
    (one,) = example("health")["urlpatterns"]
    view = one.callback.view_class(**one.callback.view_initkwargs)
    checks = [*view.get_checks()]
    assert len(checks) == 5
    assert all(isinstance(each, RetentionCheck) for each in checks)


def test_the_registry_and_the_gauges(monkeypatch: pytest.MonkeyPatch) -> None:
    called = []
    monkeypatch.setattr(collector, "register", lambda: called.append("registered"))
    monkeypatch.setattr(otel, "observe", lambda: called.append("observed"))
    example("register")
    example("observe")
    assert called == ["registered", "observed"]


def test_django_prometheus_serves_the_registry_that_is_taken_by_default(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    """What its view gives; nothing is read here, and the registry is as before afterwards."""
    from django.test import RequestFactory
    from django_prometheus.exports import ExportToDjangoView

    monkeypatch.setattr(collector, "all_families", lambda *given: {"lifecycle_up": {("a",): 1.0}})
    one = collector.register()
    try:
        found = ExportToDjangoView(RequestFactory().get("/metrics")).content.decode()
    finally:
        REGISTRY.unregister(one)
    assert 'lifecycle_up{database="a"} 1.0' in found
    assert isinstance(REGISTRY, CollectorRegistry)
