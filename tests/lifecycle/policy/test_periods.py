"""Different periods by a column's value: `period_by`."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from lifecycle import Policy, live, period_by
from lifecycle.compiler.fingerprint import fingerprint
from lifecycle.exceptions import PolicyError
from lifecycle.insight import declared
from lifecycle.models import Event
from lifecycle.policy.registry import get_policy
from tests.support import let_pass, run_until_idle
from tests.zoo.models import Errand

DAY = timedelta(days=1)


@pytest.mark.django_db(transaction=True)
def test_each_row_ends_by_the_period_of_its_value() -> None:
    """From its writing to its end, with an outcome that changes on the way."""
    now = timezone.now()
    _done, failed, changed, other, none = (
        Errand.objects.create(outcome=outcome, done_at=now)
        for outcome in ("done", "failed", "failed", "running", None)
    )
    untimed = Errand.objects.create(outcome="done")
    run_until_idle()
    let_pass(7 * DAY + timedelta(hours=1))
    run_until_idle()
    assert set(Errand.objects.all()) == {failed, changed, other, none, untimed}
    Errand.objects.filter(pk=changed.pk).update(outcome="done")
    assert set(live(Errand)) == {failed, other, none, untimed}
    run_until_idle()
    assert set(Errand.objects.all()) == {failed, other, none, untimed}
    Errand.objects.filter(pk=failed.pk).update(outcome="kept")
    let_pass(23 * DAY)
    run_until_idle()
    assert set(Errand.objects.all()) == {failed, other, untimed}  # NULL: 30 days
    let_pass(400 * DAY)
    run_until_idle()
    assert set(Errand.objects.all()) == {failed, untimed}
    assert Event.objects.filter(kind="purged").count() == 4


def policy(**options: Any) -> Policy:
    asked: dict[str, Any] = {"periods": {"done": 7 * DAY}, "since": "done_at"} | options
    return Policy("some", Errand, expires=period_by("outcome", **asked))


def test_the_declaration_is_another_one_with_each_period() -> None:
    alike = {fingerprint(policy()) for _ in range(2)}
    others = [
        policy(periods={"done": 8 * DAY}),
        policy(periods={"other": 7 * DAY}),
        policy(periods={"done": None}),
        policy(otherwise=DAY),
    ]
    assert len(alike) == 1
    assert len(alike | {fingerprint(each) for each in others}) == 5


def test_said_in_words() -> None:
    said = declared.when(get_policy("errands"))
    assert "7 days after done_at where outcome is 'done'" in said, said
    assert "30 days after done_at where outcome is empty" in said, said
    assert "never where outcome is 'kept'" in said, said
    assert "365 days after done_at else" in said, said


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"periods": {}}, "a dict"),
        ({"periods": [("a", DAY)]}, "a dict"),
        ({"periods": {"done": 7}}, "'done' ends after 7"),
        ({"periods": {"done": -DAY}}, "no timedelta"),
        ({"otherwise": "never"}, "'otherwise' ends after 'never'"),
        ({"since": None}, "since is the name of a field"),
    ],
)
def test_what_cannot_be_is_refused(options: dict[str, Any], why: str) -> None:
    with pytest.raises(PolicyError, match=why):
        policy(**options)
