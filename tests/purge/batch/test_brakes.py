"""Brakes: caps, states, the clock, and a declaration that differs between code and database."""

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from lifecycle import hold, restore, signals
from lifecycle.db.connection import fetch, statement
from lifecycle.exceptions import LifecycleError
from lifecycle.insight.forecast import forecast
from lifecycle.insight.status import statuses
from lifecycle.ledger import caps
from lifecycle.ledger import policy_states as states
from lifecycle.models import Event, PolicyState
from lifecycle.policy.policy import Policy
from lifecycle.policy.registry import get_policy
from purge.batch import brakes, clock
from purge.batch.brakes import cap_of
from purge.batch.clock import ClockGuard
from purge.exceptions import Halt
from purge.models import Run
from purge.passes.due import due_policies
from purge.passes.options import PassOptions
from purge.passes.runs import halt
from purge.runner import next_batch, run_due, run_policy, turns
from tests.mailing import ADMINS, set_mail
from tests.support import Background, let_pass, session, wait_until
from tests.zoo.factories import ExpiredPreferenceFactory, UnparsablePreferenceFactory
from tests.zoo.models import Draft, Reading, Ticket, Token

pytestmark = pytest.mark.django_db(transaction=True)
AGO = timedelta(minutes=5)


@pytest.fixture
def tickets(monkeypatch: pytest.MonkeyPatch) -> Policy:
    """The policy of tickets, with a cap of five rows."""
    policy = get_policy("tickets")
    monkeypatch.setattr(policy, "cap_rows", 5)
    monkeypatch.setattr(policy, "cap_fraction", 0)
    return policy


def due(count: int, ago: timedelta = AGO) -> None:
    Ticket.objects.bulk_create([Ticket(expires_at=timezone.now() - ago) for _ in range(count)])


def state(policy: str = "tickets") -> str:
    return PolicyState.objects.get(name=policy).state


def sql(statement: str, *params: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement, params or None)
        return cursor.fetchone()[0] if cursor.description else None


def test_up_to_the_cap_all_go(tickets: Policy) -> None:
    due(5)
    assert run_due()["tickets"].purged == 5
    assert state() == "enabled"


def test_cap_halts_before_the_first_row(tickets: Policy, settings: Any) -> None:
    settings.ADMINS = ADMINS
    told: list[dict[str, Any]] = []

    def receive(**kwargs: Any) -> None:
        told.append(kwargs)

    signals.halted.connect(receive)
    due(6)
    try:
        outcome = run_due()["tickets"]
    finally:
        signals.halted.disconnect(receive)
    assert (Ticket.objects.count(), state()) == (6, "halted")
    assert outcome.halted
    assert outcome.stopped == "halted: more than 5 rows are due"
    event = Event.objects.get(kind="halted")
    assert (event.cause, event.detail) == ("cap", {"state": "halted"})
    assert [(one["sender"], one["policy"], one["events"]) for one in told] == [
        (Ticket, "tickets", [event.pk])
    ]
    assert "lifecycle resume tickets --actor" in mail.outbox[0].body
    assert Run.objects.get().error == "halted: cap"
    assert run_due() == {}


class NoMail(BaseEmailBackend):
    """A mail server that is down."""

    def send_messages(self, email_messages: Any) -> int:
        raise ConnectionRefusedError


def test_mail_that_fails_stops_nothing(tickets: Policy, settings: Any) -> None:
    set_mail(settings, 0, backend="tests.purge.batch.test_brakes.NoMail")
    due(6)
    Token.objects.create(expires_at=timezone.now() - AGO)
    assert run_due()["tokens"].purged == 1
    assert (state(), Run.objects.get(policy="tickets").error) == ("halted", "halted: cap")


def test_two_workers_halt_once(tickets: Policy) -> None:
    due(6)
    with session() as other:
        other.execute("SELECT FROM lifecycle_policy WHERE name = 'tickets' FOR UPDATE")
        workers = [Background(lambda: run_policy(tickets)) for _ in range(2)]
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        wait_until(lambda: sql(waiting) == 2, "both workers at the halt")
    assert all(worker.result().halted for worker in workers)
    assert Event.objects.filter(kind="halted").count() == 1


def test_a_pause_meanwhile_stays_a_pause(tickets: Policy) -> None:
    due(6)
    states.pause("tickets")
    halt(tickets, Halt("cap", "too many"), PassOptions(), Run(policy="tickets"))
    assert state() == "paused"


def test_cap_counts_many_small_runs(tickets: Policy) -> None:
    for _ in range(4):
        due(2)
        run_due()
    assert (Ticket.objects.count(), state()) == (4, "halted")


def test_cap_counts_two_workers_at_once(tickets: Policy) -> None:
    def batch() -> Any:
        try:
            return next_batch(tickets, PassOptions(), None, 4)
        except Halt as halt:
            return halt

    with session() as other:
        other.execute("SELECT FROM lifecycle_policy WHERE name = 'tickets' FOR UPDATE")
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        workers = []
        for count in (1, 2):
            due(4)
            workers.append(Background(batch))
            wait_until(lambda wanted=count: sql(waiting) == wanted, "a worker at the count")  # type: ignore[misc]
    results = [worker.result() for worker in workers]
    assert sorted(type(result).__name__ for result in results) == ["Halt", "Outcome"]
    assert Ticket.objects.count() == 4


def test_rows_that_are_not_due_any_more_do_not_count(tickets: Policy) -> None:
    due(9)
    keep = Ticket.objects.values("pk")[:4]
    Ticket.objects.filter(pk__in=keep).update(expires_at=timezone.now() + AGO)
    run_due()
    assert (Ticket.objects.count(), state()) == (4, "enabled")


def test_held_and_restored_rows_do_not_count(tickets: Policy) -> None:
    due(8)
    first, *others = Ticket.objects.all()
    restore(first)
    for each in others:
        hold(each)
    assert run_due()["tickets"].held == 7
    assert state() == "enabled"


def test_rows_that_cannot_be_counted_halt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(get_policy("preferences"), "cap_rows", 1)
    ExpiredPreferenceFactory()
    UnparsablePreferenceFactory()
    assert run_due()["preferences"].halted
    assert state("preferences") == "halted"


def test_tombstoned_rows_count_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(get_policy("drafts"), "cap_rows", 3)
    monkeypatch.setattr(get_policy("drafts"), "cap_fraction", 0)
    made = timezone.now() - timedelta(days=2)
    Draft.objects.bulk_create([Draft(created_at=made) for _ in range(3)])
    run_due()
    let_pass(timedelta(hours=2))
    run_due()
    assert (Draft.objects.count(), state("drafts")) == (0, "enabled")


def test_resume_of_a_halted_policy_needs_an_actor(tickets: Policy) -> None:
    due(6)
    run_due()
    with pytest.raises(LifecycleError, match=r"say who resumes it \(--actor\)"):
        states.resume("tickets")
    with pytest.raises(LifecycleError, match="cannot be less than none"):
        states.resume("tickets", actor="ada", allow=-1)
    assert state() == "halted"


def test_resume_without_allowance_halts_again(tickets: Policy) -> None:
    due(6)
    run_due()
    states.resume("tickets", actor="ada")
    run_due()
    assert (Ticket.objects.count(), state()) == (6, "halted")


def test_allowance_goes_beyond_the_cap(tickets: Policy) -> None:
    due(6)
    run_due()
    states.resume("tickets", actor="ada", allow=1)
    run_due()
    assert (Ticket.objects.count(), state()) == (0, "enabled")
    assert Event.objects.get(kind="resumed").actor == "ada"
    due(2)
    run_due()
    assert (Ticket.objects.count(), state()) == (2, "halted")


def test_allowances_add_up(tickets: Policy) -> None:
    for count in (6, 1):
        due(count)
        run_due()
        assert state() == "halted"
        states.resume("tickets", actor="ada", allow=1)
        run_due()
        assert (Ticket.objects.count(), state()) == (0, "enabled")


def test_allowance_and_count_end_after_a_day(tickets: Policy) -> None:
    due(6)
    run_due()
    states.resume("tickets", actor="ada", allow=4)
    run_due()
    let_pass(timedelta(hours=25))
    due(6)
    run_due()
    assert (Ticket.objects.count(), state()) == (6, "halted")
    states.resume("tickets", actor="ada", allow=1)
    run_due()
    assert Ticket.objects.count() == 0
    assert set(PolicyState.objects.get(name="tickets").spent.values()) == {1, 6}


def test_the_count_covers_the_whole_day(tickets: Policy) -> None:
    # 23 hours and some minutes ago is in the hour that began up to 24 hours ago.
    PolicyState.objects.filter(name="tickets").update(spent={_hour(-24): 5})
    due(1)
    run_due()
    assert (Ticket.objects.count(), state()) == (1, "halted")


def _hour(ahead: int = 0) -> str:
    return f"{timezone.now() + timedelta(hours=ahead):%Y-%m-%dT%H}"


def test_share_of_a_partitioned_table(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = get_policy("readings")
    monkeypatch.setattr(policy, "cap_rows", 1)
    monkeypatch.setattr(policy, "cap_fraction", 0.5)
    Reading.objects.bulk_create([Reading(id=n, region="x") for n in range(990, 1010)])
    sql("ANALYZE zoo_reading_low, zoo_reading_high")
    assert cap_of(policy, "default") == 10


def test_share_of_a_table_that_was_never_analysed(tickets: Policy) -> None:
    sql("TRUNCATE zoo_ticket")
    assert sql("SELECT reltuples FROM pg_class WHERE relname = 'zoo_ticket'") == -1
    assert cap_of(tickets, "default") == 5


@pytest.mark.parametrize("stopped", ["observe", "paused", "halted"])
def test_cap_halts_no_policy_that_may_not_act(tickets: Policy, stopped: str) -> None:
    due(6)
    change = {"policy": "tickets", "kind": "policy_changed", "state": stopped, "allow": 0}
    fetch("default", statement(states.__file__, "change_state"), change)
    assert run_policy(tickets).stopped == stopped
    assert (state(), Run.objects.count()) == (stopped, 0)


def test_pause_is_obeyed_within_one_batch(tickets: Policy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tickets, "cap_rows", 100)
    monkeypatch.setattr(tickets, "batch_rows", 2)
    due(6)
    passing = turns(tickets, PassOptions())
    assert next(passing).purged == 2
    states.pause("tickets", actor="ada")
    assert [*passing] == []
    assert (Ticket.objects.count(), due_policies()) == (4, [])
    states.resume("tickets")
    run_due()
    assert Ticket.objects.count() == 0


def test_another_declaration_ends_nothing_and_says_so(
    tickets: Policy, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(brakes, "_warned", {})
    due(3)
    Token.objects.create(expires_at=timezone.now() - AGO)
    stored = PolicyState.objects.get(name="tickets").fingerprint
    PolicyState.objects.filter(name="tickets").update(fingerprint="of other code")
    with caplog.at_level(logging.WARNING, "purge"):
        assert [*run_due()] == ["tokens"]
        assert run_policy(tickets).stopped == brakes.OUTDATED
        assert next_batch(tickets, PassOptions(), None, 100) is None
    assert Ticket.objects.count() == 3
    said = [record for record in caplog.records if record.name == "purge"]
    assert [(record.action, record.policy) for record in said] == [("fingerprint", "tickets")]  # type: ignore[attr-defined]
    PolicyState.objects.filter(name="tickets").update(fingerprint=stored)
    assert run_due()["tickets"].purged == 3


def test_it_is_said_again_after_a_minute(
    tickets: Policy, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = [0.0]
    monkeypatch.setattr(brakes, "_warned", {})
    monkeypatch.setattr(brakes.time, "monotonic", lambda: seconds[0])
    for seconds[0] in (0.0, 59.0, 61.0, 62.0):
        assert brakes.differs(tickets, "of other code")
    assert len(caplog.records) == 2


class Machine:
    """A clock to be set by hand."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


T = datetime(2030, 1, 1, tzinfo=UTC)


def test_clock_guard_lets_time_pass() -> None:
    machine = Machine()
    guard = ClockGuard(machine)
    for _ in range(3):
        guard.check(T + timedelta(seconds=machine.seconds), "a")
        machine.seconds += 86_400
    guard.check(T + timedelta(seconds=machine.seconds + 59), "a")
    guard.check(T, "a")


def test_clock_guard_stops_each_policy_once() -> None:
    guard = ClockGuard(Machine())
    for policy in ("a", "b"):
        guard.check(T, policy)
    later = T + timedelta(days=365)
    for policy in ("a", "b", "never seen before"):
        with pytest.raises(Halt, match=r"jumped ahead by 365 days"):
            guard.check(later, policy)
    for policy in ("a", "b", "never seen before", "another"):
        guard.check(later, policy)


def test_clock_guard_sees_a_slow_jump_between_rare_looks() -> None:
    guard = ClockGuard(Machine())
    guard.check(T, "a")
    guard.check(T + timedelta(seconds=50), "b")
    with pytest.raises(Halt):
        guard.check(T + timedelta(seconds=61), "a")


def test_clock_jump_stops_every_policy(tickets: Policy, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine()
    monkeypatch.setattr(clock, "_guards", {"default": ClockGuard(machine)})
    due(1)
    Token.objects.create(expires_at=timezone.now() - AGO)
    machine.seconds = clock._boottime()
    clock.check_clock(datetime.now(UTC), "tickets")
    machine.seconds -= 3600
    run_due()
    assert (Ticket.objects.count(), Token.objects.count()) == (1, 1)
    assert (state("tickets"), state("tokens")) == ("halted", "halted")
    assert {event.cause for event in Event.objects.filter(kind="halted")} == {"clock"}
    states.resume("tickets", actor="ada")
    run_due()
    assert (Ticket.objects.count(), Token.objects.count()) == (0, 1)


def test_share_of_a_table_whose_statistics_are_missing(
    tickets: Policy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tickets, "cap_fraction", 0.10)
    sql("TRUNCATE zoo_ticket")
    assert cap_of(tickets, "default") == 5
    later = timezone.now() + timedelta(days=9)
    Ticket.objects.bulk_create([Ticket(expires_at=later) for _ in range(91)])
    due(9)
    assert cap_of(tickets, "default", counted=True) == 10
    assert forecast(tickets).over is False
    run_due()
    assert (state(), Ticket.objects.count()) == ("enabled", 91)
    sql("SELECT pg_stat_force_next_flush()")  # what the check of the promise goes by


def test_a_table_that_cannot_be_counted_in_time_has_the_cap_of_its_statistics(
    tickets: Policy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caps, "PATIENCE", 0.1)
    monkeypatch.setattr(tickets, "cap_fraction", 0.10)
    due(6)
    with session() as other:
        other.execute("LOCK TABLE zoo_ticket")
        assert cap_of(tickets, "default", counted=True) == 5
    run_due()
    assert (state(), Ticket.objects.count()) == ("halted", 6)


def test_what_status_says_of_a_halt_can_be_pasted(tickets: Policy) -> None:
    due(6)
    run_due()
    (said,) = next(each for each in statuses() if each.policy == "tickets").problems
    pasted = said.split("`")[1].split()
    assert pasted[:2] == ["manage.py", "lifecycle"]
    call_command(*pasted[1:])
    assert state() == "enabled"
