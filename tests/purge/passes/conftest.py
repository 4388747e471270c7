"""A policy of small batches, measured after each, with pauses of hardly a moment."""

from collections import defaultdict

import pytest

from lifecycle.policy.registry import get_policy
from purge.passes import pressure, throttle


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(get_policy("tokens"), "batch_rows", 10)
    monkeypatch.setattr(throttle, "_places", defaultdict(throttle.Place))
    monkeypatch.setattr(throttle, "FEW", 10)
    monkeypatch.setattr(throttle, "OFTEN", 0.0)
    monkeypatch.setattr(throttle, "FIRST", 0.01)
    monkeypatch.setattr(throttle, "LONGEST", 0.04)
    monkeypatch.setattr(pressure, "MANY", 20)
