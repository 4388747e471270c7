"""Rows that were there before their policy, or came past its triggers."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

import lifecycle
from lifecycle.backfill import chunk as chunks
from lifecycle.backfill import progress as backfill
from lifecycle.exceptions import LifecycleError
from lifecycle.ledger import policy_states as states
from lifecycle.models import AgendaEntry, Backfill, Event, PolicyState
from lifecycle.policy.registry import get_policy
from purge.batch.outcome import Outcome
from purge.runner import run_due
from tests.backfills import (
    declare,
    listed,
    past_triggers,
    read,
    read_again,
    scheduled,
    write,
)
from tests.clock import pass_time
from tests.support import kinds, session, together
from tests.zoo.factories import (
    ContractFactory,
    ExpiredOrderFactory,
    ExpiredPreferenceFactory,
    PictureFactory,
    UnparsablePreferenceFactory,
)
from tests.zoo.models import Coupon, Draft, Order, Preference, Ticket, Token

pytestmark = pytest.mark.django_db(transaction=True)

DAY, HOUR, SECOND = timedelta(days=1), timedelta(hours=1), timedelta(seconds=1)


@pytest.fixture
def chunks_of_ten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfill, "CHUNK", 10)


class TestWhatIsListed:
    @pytest.mark.usefixtures("chunks_of_ten")
    def test_rows_with_an_end_under_every_kind_of_key(self) -> None:
        write(Token, *[-DAY] * 25, *[DAY] * 25, *[None] * 5)
        write(Ticket, *[-DAY * (1 + i) for i in range(15)])
        with past_triggers():
            for code in ("", "it's", *"abcdefghij", "{x,y}"):
                Coupon.objects.create(code=code, expires_at=timezone.now() - DAY)
        assert run_due() == {}
        for policy, rows in (("tokens", 55), ("tickets", 15), ("coupons", 13)):
            steps = [step.rows for step in read_all(policy)]
            assert steps == [10] * (rows // 10) + [rows % 10]
        run_due()
        assert (Token.objects.count(), Ticket.objects.count(), Coupon.objects.count()) == (30, 0, 0)
        assert listed("tokens") == 25

    def test_a_table_of_whole_chunks_is_read_to_its_end(self, chunks_of_ten: None) -> None:
        write(Token, *[DAY] * 20)
        assert [step.rows for step in read_all("tokens")] == [10, 10, 0]
        assert read_all("orders")[0].finished

    def test_rows_restored_for_good_are_left_out(self) -> None:
        token = Token.objects.create(expires_at=timezone.now() - DAY)
        lifecycle.restore(token, policy="tokens")
        run_due()
        assert listed("tokens") == 0
        assert read_again("tokens") == 0
        lifecycle.expire_now(token, policy="tokens")
        assert read_again("tokens") == 0

    def test_an_end_that_moved_past_the_triggers_is_listed_where_it_is_earlier(self) -> None:
        sooner, later = Token.objects.bulk_create(
            [Token(expires_at=timezone.now() + 5 * DAY), Token(expires_at=timezone.now() + 5 * DAY)]
        )
        with past_triggers():
            Token.objects.filter(pk=sooner.pk).update(expires_at=timezone.now() + DAY)
            Token.objects.filter(pk=later.pk).update(expires_at=timezone.now() + 9 * DAY)
        assert read_again("tokens") == 1
        assert Event.objects.latest("id").subjects == [str(sooner.pk)]
        assert read_again("tokens") == 0


def read_all(policy: str) -> list[backfill.Step]:
    backfill.ask(get_policy(policy))
    return read(policy)


class TestAgain:
    """A table that has not changed gives no event, whatever has become of its rows."""

    def test_rows_that_wait(self) -> None:
        write(Token, -DAY, DAY, 3 * DAY)
        assert (read_again("tokens"), read_again("tokens")) == (3, 0)

    def test_rows_that_were_looked_at(self) -> None:
        PictureFactory.create_batch(2)
        ContractFactory()
        held, _ = Draft.objects.bulk_create(
            Draft(created_at=timezone.now() - timedelta(days=days)) for days in (3, 2)
        )
        lifecycle.hold(held)
        ExpiredOrderFactory.create_batch(2)
        run_due()
        pass_time(hours=2)
        run_due()
        told = kinds(policy="drafts")
        assert {"kept", "tombstoned", "blocked", "purged"} <= set(told)
        Draft.objects.create(created_at=timezone.now() - 2 * DAY)
        Order.objects.create(expires_at=timezone.now() - HOUR, grace=40 * DAY)
        run_due()
        for policy in ("drafts", "orders"):
            before = scheduled(policy)
            assert read_again(policy) == 0
            assert scheduled(policy) == before

    def test_by_a_reconcile_pass_of_what_observes(self) -> None:
        write(Ticket, -DAY, DAY)
        declare("tickets")
        assert sum(step.listed for step in read("tickets")) == 2
        for _ in range(2):
            pass_time(days=8)
            assert "tickets" in backfill.reconcile()
            assert sum(step.listed for step in read("tickets")) == 0
        assert scheduled("tickets") == 2

    def test_rows_that_were_purged_and_written_again(self) -> None:
        write(Coupon, -DAY, code="A")
        read_again("coupons")
        run_due()
        assert not Coupon.objects.exists()
        write(Coupon, -DAY, code="A")
        assert read_again("coupons") == 1
        run_due()
        assert not Coupon.objects.exists()


class TestReconcile:
    def test_finds_what_will_end_before_the_next_pass(self) -> None:
        declare("tokens")
        write(Token, -DAY, 13 * DAY, 15 * DAY)
        assert backfill.reconcile() == []
        pass_time(days=7, hours=1)
        assert "tokens" in backfill.reconcile()
        assert sum(step.listed for step in read("tokens")) == 3 - 1 + 1  # a week has passed

    def test_is_never_where_it_is_switched_off(self, settings: Any) -> None:
        settings.LIFECYCLE_RECONCILE_DAYS = 0
        pass_time(days=1000)
        assert backfill.reconcile() == []

    def test_is_slow(self, settings: Any) -> None:
        write(Token, *[DAY] * 3)
        backfill.ask(get_policy("tokens"))
        Backfill.objects.filter(policy="tokens").update(why="reconcile")
        (step,) = read("tokens")
        assert step.pause >= 3 / backfill.SLOWEST

    def test_one_that_was_asked_for_reads_everything(self, chunks_of_ten: None) -> None:
        write(Token, *[30 * DAY] * 15)
        pass_time(days=8)
        backfill.reconcile()
        assert backfill.step(get_policy("tokens"), hurried=True).listed == 0  # type: ignore[union-attr]
        assert read_again("tokens") == 15


class TestFailingRows:
    def test_are_told_and_stop_no_other(self, chunks_of_ten: None) -> None:
        with past_triggers():
            before = ExpiredPreferenceFactory.create_batch(14)
            unparsable = UnparsablePreferenceFactory()
            ExpiredPreferenceFactory.create_batch(6)
        assert before
        steps = read_all("preferences")
        assert [(step.rows, step.listed, step.failed) for step in steps] == [
            (10, 10, 0), (10, 10, 1), (1, 1, 0),
        ]  # fmt: skip
        failed = Event.objects.get(kind="capture_failed")
        assert (failed.subjects, failed.detail["sqlstate"]) == ([str(unparsable.pk)], "22P02")
        assert read_again("preferences") == 0
        run_due()
        assert list(Preference.objects.all()) == [unparsable]
        assert read_again("preferences") == 0

    def test_many_are_not_looked_for_one_by_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(chunks, "FAILURES", 6)
        with past_triggers():
            UnparsablePreferenceFactory.create_batch(64)
        (step,) = read_all("preferences")
        assert (step.rows, step.listed, step.failed) == (64, 64, 64)
        assert Event.objects.filter(kind="capture_failed").count() < 20

    def test_a_missing_column_is_not_a_rows_fault(self) -> None:
        write(Coupon, -DAY, code="A")
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE zoo_coupon RENAME COLUMN expires_at TO gone")
            try:
                with pytest.raises(Exception, match="expires_at"):
                    read_all("coupons")
            finally:
                cursor.execute("ALTER TABLE zoo_coupon RENAME COLUMN gone TO expires_at")
        assert not Event.objects.filter(kind="capture_failed").exists()
        assert sum(step.listed for step in read("coupons")) == 1


class TestFewEvents:
    """Twenty thousand rows three seconds apart, from eight hours ago on, in any order."""

    @pytest.mark.parametrize(("policy", "most"), [("tokens", 12), ("tickets", 12)])
    def test_of_rows_seconds_apart(self, policy: str, most: int) -> None:
        rows = {
            "tokens": "zoo_token (label, active, expires_at) SELECT '', true",
            "tickets": "zoo_ticket (id, expires_at) SELECT gen_random_uuid()",
        }[policy]
        with past_triggers(), connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {rows}, now() - interval '8 hours' + interval '3 seconds' * i"
                " FROM generate_series(1, 20000) AS i"
            )
        assert read_again(policy) == 20_000
        assert scheduled(policy) <= most
        past = AgendaEntry.objects.filter(event__due_at__lt=F("event__recorded_at") - HOUR)
        assert sum(past.values_list("count", flat=True)) == pytest.approx(9_600, abs=60)

    def test_of_rows_over_years(self) -> None:
        write(Ticket, *[timedelta(days=3 * i) for i in range(1000)], timedelta(days=360_000))
        assert read_again("tickets") == 1001
        assert 30 < scheduled("tickets") <= chunks.DAYS + 1
        ends = {str(row.pk): row.expires_at for row in Ticket.objects.all()}
        for entry in AgendaEntry.objects.select_related("event"):
            listed_ends = [ends[key] for key in entry.event.subjects]
            assert entry.event.due_at - SECOND < min(listed_ends)

    @pytest.mark.slow
    def test_each_row_ends_in_time_and_is_looked_at_a_few_times(self) -> None:
        """An entry of a day is split when its time comes, and not looked at over and over."""
        rows, looked = 400, 0
        write(Ticket, *[2 * HOUR + timedelta(minutes=3) * i for i in range(rows)])
        read_again("tickets")
        entries = scheduled("tickets")
        assert entries <= 3
        while Ticket.objects.exists():
            pass_time(hours=1)
            looked += sum((done.looked for done in run_due().values()), 0)
            late = Ticket.objects.filter(expires_at__lt=timezone.now() - 2 * SECOND)
            assert not late.exists()
        assert looked <= 4 * rows
        assert scheduled("tickets") <= entries + 2 * rows
        assert listed("tickets") == 0


class TestOneAtATime:
    def test_goes_on_after_an_error(
        self, chunks_of_ten: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write(Token, *[DAY] * 25)
        backfill.ask(get_policy("tokens"))
        backfill.step(get_policy("tokens"), hurried=True)
        with monkeypatch.context() as broken:
            broken.setattr(backfill, "_note", lambda *given, **others: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                backfill.step(get_policy("tokens"), hurried=True)
        assert listed("tokens") == 10  # of the chunk that failed nothing is there
        assert [step.rows for step in read("tokens")] == [10, 5]
        assert (listed("tokens"), scheduled("tokens")) == (25, 3)

    def test_four_at_once_read_each_chunk_once(self, chunks_of_ten: None) -> None:
        write(Token, *[DAY] * 200)
        backfill.ask(get_policy("tokens"))

        def work() -> int:
            return sum(step.rows for step in read("tokens"))

        while not Backfill.objects.get(policy="tokens").finished_at:
            together(work, work, work, work)
        assert Backfill.objects.get(policy="tokens").read == 200
        assert listed("tokens") == 200

    def test_waits_for_nobody(self) -> None:
        write(Token, DAY)
        backfill.ask(get_policy("tokens"))
        policy = get_policy("tokens")
        with session() as other:
            other.execute("SELECT FROM lifecycle_backfill WHERE policy = 'tokens' FOR UPDATE")
            assert backfill.step(policy, hurried=True) is None
        with session() as host:
            host.execute("LOCK zoo_token IN ACCESS EXCLUSIVE MODE")
            assert backfill.step(policy, hurried=True) is None
        assert backfill.step(policy, hurried=True)

    def test_locks_no_row(self) -> None:
        (token,) = write(Token, DAY)
        with session() as host:
            host.execute("UPDATE zoo_token SET label = 'x' WHERE id = %s", [token.pk])
            assert read_again("tokens") == 1

    def test_keeps_the_pace(self, settings: Any) -> None:
        settings.LIFECYCLE_BACKFILL_RATE = 4  # rows a second, so that a chunk has ten
        write(Token, *[DAY] * 15)
        policy = get_policy("tokens")
        backfill.ask(policy)
        step = backfill.step(policy)
        assert step
        assert (step.rows, step.pause) == (10, 2.5)
        assert backfill.step(policy) is None
        assert backfill.waiting() == []
        pass_time(seconds=3)
        assert backfill.waiting() == [policy]
        assert backfill.step(policy)


class TestStopped:
    @pytest.fixture(autouse=True)
    def marked(self, chunks_of_ten: None) -> None:
        write(Token, *[DAY] * 15)
        backfill.ask(get_policy("tokens"))

    def test_by_a_pause_within_one_chunk(self) -> None:
        policy = get_policy("tokens")
        assert backfill.step(policy, hurried=True)
        states.pause("tokens")
        assert backfill.step(policy, hurried=True) is None
        assert backfill.waiting(hurried=True) == []
        with pytest.raises(LifecycleError, match="tokens is paused"):
            backfill.ask(policy)
        states.resume("tokens")
        assert [step.rows for step in read("tokens")] == [5]

    def test_a_pause_waits_for_the_chunk_under_way(self, monkeypatch: pytest.MonkeyPatch) -> None:
        policy, order = get_policy("tokens"), []
        note = backfill._note

        def paused_meanwhile(*given: Any, **others: Any) -> Any:
            with session() as other:
                lock = "SELECT lifecycle.try_lock_v1('tokens')"
                order.append(other.execute(lock).fetchone()[0])
            return note(*given, **others)

        monkeypatch.setattr(backfill, "_note", paused_meanwhile)
        assert backfill.step(policy, hurried=True)
        assert order == [False]

    def test_by_another_declaration(self) -> None:
        PolicyState.objects.filter(name="tokens").update(fingerprint="of-tomorrow")
        policy = get_policy("tokens")
        assert backfill.step(policy, hurried=True) is None
        assert backfill.waiting(hurried=True) == []
        with pytest.raises(LifecycleError, match="declared otherwise"):
            backfill.ask(policy)

    def test_not_by_observing(self) -> None:
        declare("tokens")
        assert PolicyState.objects.get(name="tokens").state == "observe"
        assert backfill.waiting(hurried=True) == [get_policy("tokens")]
        assert len(read("tokens")) == 2


class TestMistyped:
    def test_a_policy_that_matches_everything_ends_nothing(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Marked, read, observed; enabled it halts before its first row."""
        monkeypatch.setattr(get_policy("tickets"), "cap_rows", 5)
        write(Ticket, *[-DAY] * 60)
        declare("tickets")
        assert [step.listed for step in read("tickets")] == [60]
        assert run_due() == {}
        states.enable("tickets", actor="ann")
        done: dict[str, Outcome] = run_due()
        assert done["tickets"].halted
        assert Ticket.objects.count() == 60
        assert PolicyState.objects.get(name="tickets").state == "halted"
        with transaction.atomic():
            assert kinds(policy="tickets", kind="tombstoned") == []


def test_progress_in_percent_of_what_the_planner_knows(chunks_of_ten: None) -> None:
    policy = get_policy("tokens")
    write(Token, *[DAY] * 20)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE zoo_token")
    declare("tokens")
    assert backfill.progress(policy).percent == 0  # type: ignore[union-attr]
    backfill.step(policy, hurried=True)
    assert str(backfill.progress(policy)) == "10 of about 20 rows (50 %)"
    read("tokens")
    come = backfill.progress(policy)
    assert come
    assert (come.percent, come.read, come.listed, come.finished) == (100, 20, 20, True)
