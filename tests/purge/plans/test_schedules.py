"""10,000 random schedules between a plan and the end of it; 200 here, the others in tests/soak."""

from typing import Any

import pytest

from purge.batch.cascade.blockers import CascadeBlockers
from purge.models import Plan
from purge.sources import planned
from purge.sources.versions import Classified
from tests.purge.plans.schedules import run

HERE = 200
ORDERS = range(50, 75)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_no_row_outside_a_plan_ends() -> None:
    assert run(range(HERE)) == []
    assert Plan.objects.filter(acted__gt=0).exists()
    assert Plan.objects.exclude(left={}).exists()


@pytest.mark.django_db(transaction=True)
def test_a_plan_that_compares_no_version_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def all_the_same(model: Any, using: str, keys: list[str], *_: Any) -> Classified:
        return Classified(set(keys), set())

    monkeypatch.setattr(planned, "classify", all_the_same)
    assert any("has ended, and must not" in each for each in run(range(25)))


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_plan_that_takes_along_what_was_written_since_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(CascadeBlockers, "refuse_written", lambda *_: None)
    assert any("has ended, and must not" in each for each in run(ORDERS))
