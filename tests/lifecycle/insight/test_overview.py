"""The overview says what `status` says, by questions whose number and reach do not grow."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from lifecycle import hold, restore
from lifecycle.db.connection import fetch
from lifecycle.insight import capped, days, overview, status
from lifecycle.insight.overview import Line
from lifecycle.ledger import policy_states, segments
from lifecycle.models import Event, PolicyState
from lifecycle.promises import check as promises
from purge.runner import run_due
from tests.clock import pass_time
from tests.support import database_now, let_pass
from tests.zoo.models import Contract, Coupon, Draft, Order, Ticket, Token

pytestmark = pytest.mark.django_db(transaction=True)
FOLD = "promise_06_projections_are_the_fold"
SAME = ("state", "scheduled", "due", "tombstoned", "blocked", "held", "next_due", "barred")


def line(policy: str) -> Line:
    found = overview.overview("default")
    return next(each for each in found.lines if each.status.policy == policy)


def some_of_everything() -> None:
    now = timezone.now()
    drafts = [Draft(created_at=now - timedelta(hours=hours)) for hours in (1, 20, 30, 40, 50)]
    Draft.objects.bulk_create(drafts)
    Contract.objects.create(draft=drafts[4])
    Ticket.objects.bulk_create(Ticket(expires_at=now + timedelta(days=n)) for n in range(-1, 9))
    Order.objects.create(expires_at=now + timedelta(days=2), grace=timedelta(days=400))
    Coupon.objects.create(code="a", expires_at=now + timedelta(days=40))
    run_due()
    hold(drafts[2], reason="a dispute")
    hold("coupons", reason="an audit")
    restore(drafts[3])
    let_pass(timedelta(hours=2))
    run_due()  # the last of the drafts is blocked
    Token.objects.bulk_create(Token(expires_at=now) for _ in range(3))
    let_pass(timedelta(seconds=2))


def test_it_counts_as_status_does(monkeypatch: pytest.MonkeyPatch) -> None:
    some_of_everything()
    monkeypatch.setattr(status, "_count_there", lambda each, policy: None)
    whole = {each.policy: each for each in status.statuses()}
    found = overview.overview("default")
    assert len(found.lines) == len(whole) > 20
    for each in found.lines:
        one = whole[each.status.policy]
        assert [getattr(each.status, name) for name in SAME] == [
            getattr(one, name) for name in SAME
        ]
        assert each.status.problems == one.problems
        assert bool(each.status.lag) == bool(one.lag)
        for name in ("scheduled", "due", "tombstoned", "blocked", "held"):
            assert getattr(each.counts, name) == (getattr(one, name), False)
    assert {each.status.policy for each in found.lines if each.counts.blocked.number} == {"drafts"}


def test_what_ends_next() -> None:
    some_of_everything()
    assert [str(line("tickets").counts.day), str(line("tickets").counts.week)] == ["1", "7"]
    assert str(line("coupons").counts.month) == "0"
    assert str(line("drafts").counts.day) != "0"
    found = overview.overview("default")
    assert found.next is not None
    assert found.next.status.policy == "tokens"  # due now
    assert not next(e for e in found.lines if e.status.policy == "coupons").next_at  # all held
    policy_states.pause("tokens")
    paused = overview.overview("default")
    assert paused.next is not None
    assert paused.next.status.policy != "tokens"
    assert paused.ends("day").number == found.ends("day").number - 3


def test_a_row_with_a_grace_ends_when_that_is_over() -> None:
    Draft.objects.create(created_at=timezone.now() - timedelta(minutes=30))  # ends in 23:30 + 1 h
    assert str(line("drafts").counts.day) == "0"
    assert str(line("drafts").counts.week) == "1"


def test_what_is_not_read_to_its_end_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capped, "LEAST", 3)
    monkeypatch.setattr(capped, "ALL", 0)
    now = timezone.now()
    for hours in range(1, 11):
        Ticket.objects.create(expires_at=now + timedelta(hours=hours * 10))
    counts = line("tickets").counts
    assert (str(counts.scheduled), str(counts.day), str(counts.week)) == ("3+", "2", "3+")
    assert counts.due == (0, False)


def test_the_cap_and_what_is_used_of_it() -> None:
    past = timezone.now() - timedelta(hours=1)
    Token.objects.bulk_create(Token(expires_at=past) for _ in range(7))
    run_due()
    assert (line("tokens").used, line("tokens").cap) == (7, 10**9)
    assert line("tokens").used_percent == 0


def test_the_number_of_questions_does_not_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    def questions() -> int:
        with CaptureQueriesContext(connection) as asked:
            overview.overview("default")
        return len(asked)

    some_of_everything()
    few = list(overview.all_policies())[:3]
    every = questions()
    for module in (overview, status):
        monkeypatch.setattr(module, "all_policies", lambda: few)
    PolicyState.objects.exclude(name__in=[each.name for each in few]).delete()
    assert questions() == every < 40


class TestDays:
    def test_the_last_days_of_the_ledger(self, monkeypatch: pytest.MonkeyPatch) -> None:
        # The events of `migrate` are there too; after other tests many numbers lie between.
        monkeypatch.setattr(days, "MOST", 10**12)
        past = timezone.now() - timedelta(hours=1)
        Token.objects.bulk_create(Token(expires_at=past) for _ in range(5))
        run_due()
        pass_time(hours=48)
        Draft.objects.create(created_at=timezone.now() - timedelta(hours=24, minutes=30))
        run_due()
        restore(Draft.objects.get())
        found = days.last_days(database_now(), "default")
        assert len(found.days) == len(found.rows["purged"]) == 90
        assert found.rows["purged"][-3] + found.rows["purged"][-2] == 5
        assert sum(found.rows["purged"]) == 5
        assert sum(found.rows["restored"][-2:]) == 1
        assert not found.incomplete

    @pytest.mark.slow
    def test_what_the_worker_has_summed_up_is_not_read_again(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        past = timezone.now() - timedelta(hours=1)
        Token.objects.bulk_create(Token(expires_at=past) for _ in range(5))
        run_due()
        fill()
        before = days.last_days(database_now(), "default").rows
        assert segments.cover(segments.mark("default"), "default", 60) >= 1
        assert days.last_days(database_now(), "default").rows == before
        assert sum(before["purged"]) == 5
        assert promises.check(only=[FOLD])[FOLD] == []
        monkeypatch.setattr(days, "MOST", 1)
        assert sum(days.last_days(database_now(), "default").rows["purged"]) == 5

    def test_what_nobody_has_summed_up_and_is_much_is_told(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        past = timezone.now() - timedelta(hours=1)
        for _ in range(3):
            Token.objects.create(expires_at=past)
            run_due()
        last, *_ = Event.objects.filter(kind="purged").order_by("-pk")
        monkeypatch.setattr(days, "MOST", Event.objects.order_by("-pk").first().pk - last.pk + 1)
        found = days.last_days(database_now(), "default")
        assert found.incomplete
        assert 0 < sum(found.rows["purged"]) < 3


def fill() -> None:
    """More than a piece of the ledger, as one statement of UUID keys."""
    text = (
        "SELECT lifecycle.write_v1('expiry_scheduled', 'tickets', 'zoo.ticket',"
        " ROW(NULL, ARRAY(SELECT md5(i::text)::uuid FROM generate_series(1, 12000) AS i), NULL,"
        " NULL)::lifecycle.subjects, 12000, NULL, now() + interval '9 days', NULL, '{}', NULL)"
    )
    fetch("default", text)
    fetch("default", text)
