"""A hold that is released at a moment to come: placed anew until then, never let go between."""

from datetime import timedelta

import pytest
from django.utils import timezone

from lifecycle import context, hold, hold_rows, holds, release
from lifecycle.exceptions import LifecycleError
from lifecycle.models import Event
from lifecycle.promises.check import check
from tests.lifecycle.management.test_commands import fails, manage
from tests.support import let_pass, run_until_idle
from tests.zoo.factories import ExpiredTokenFactory
from tests.zoo.models import Token

pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(days=1)


@pytest.mark.slow
def test_a_row_goes_when_its_moment_has_come() -> None:
    row = ExpiredTokenFactory()
    first = hold(row, reason="court", reference="C-1")
    run_until_idle()
    at = timezone.now() + 2 * DAY
    assert release(row, at=at) == 1
    (held,) = holds()
    assert held.number > first
    assert (held.reason, held.reference, held.in_force) == ("court", "C-1", True)
    assert held.until == at
    run_until_idle()
    assert Token.objects.exists()
    let_pass(1 * DAY)
    run_until_idle()
    assert Token.objects.exists()
    let_pass(1.1 * DAY)
    run_until_idle()
    assert not Token.objects.exists(), "the worker has looked at it when the hold was over"
    assert check() == {name: [] for name in check()}


def test_the_same_person_twice() -> None:
    """The new hold is as the old one, which is lifted: it must not pass for that."""
    row = ExpiredTokenFactory()
    with_words = {"reason": "court", "reference": "C-1"}
    with context(actor="ann"):
        hold(row, **with_words)
        release(row, at=timezone.now() + DAY)
    (held,) = holds()
    assert held.in_force
    assert held.until is not None
    run_until_idle()
    assert Token.objects.exists()


def test_one_row_of_many() -> None:
    rows = [ExpiredTokenFactory() for _ in range(3)]
    hold_rows(Token.objects.all(), reason="court")
    release(rows[0], at=timezone.now() + DAY)
    assert sorted((each.rows, each.until is None) for each in holds()) == [(1, False), (2, True)]


def test_all_rows_of_a_hold_that_still_has_some() -> None:
    rows = [ExpiredTokenFactory() for _ in range(3)]
    (number,), _ = hold_rows(Token.objects.all(), reason="court")
    release(rows[0])
    release(number, at=timezone.now() + DAY)
    (held,) = holds()
    assert (held.rows, held.until is None) == (2, False)


def test_a_policy() -> None:
    ExpiredTokenFactory()
    hold("tokens", reason="court")
    release("tokens", at=timezone.now() + DAY)
    (held,) = holds()
    assert (held.policy, held.until is None) == ("tokens", False)
    run_until_idle()
    assert Token.objects.exists()
    let_pass(1.1 * DAY)
    run_until_idle()
    assert not Token.objects.exists()


def test_what_is_refused_changes_nothing() -> None:
    row = ExpiredTokenFactory()
    hold(row, reason="court", until=timezone.now() + DAY)
    before = Event.objects.count()
    with pytest.raises(LifecycleError, match="ends before that"):
        release(row, at=timezone.now() + 2 * DAY)
    with pytest.raises(LifecycleError, match="must be to come"):
        release(row, at=timezone.now() - DAY)
    assert Event.objects.count() == before


def test_the_command() -> None:
    row = ExpiredTokenFactory()
    hold(row, reason="court")
    told = manage("lifecycle", "release", f"zoo.Token:{row.pk}", "--at", "2100-01-02")
    assert told == "1 hold placed anew, until 2100-01-02 00:00:00.\n"
    words = ("release", f"zoo.Token:{row.pk}", "--at", "2000-01-02")
    assert "has passed" in fails("lifecycle", *words)
