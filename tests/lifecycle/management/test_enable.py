"""What `enable` shows, asks and refuses; pause, resume and disable of all policies at once."""

import io
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError
from django.db import OperationalError
from django.utils import timezone

from lifecycle import hold
from lifecycle.backfill import progress as backfill
from lifecycle.db.connection import fetch
from lifecycle.insight import forecast
from lifecycle.install import after_migrate as sync
from lifecycle.ledger import policy_states as states
from lifecycle.models import Event, PolicyState
from lifecycle.policy.registry import get_policy
from purge.runner import run_due
from tests.lifecycle.management.test_commands import cap, due, everything, fails, manage, state
from tests.support import Background, renamed, session, wait_until, waiting
from tests.zoo.models import Draft, Order, Picture, Ticket

pytestmark = pytest.mark.django_db(transaction=True)
ENABLE = ("lifecycle", "enable")


@pytest.fixture
def observing() -> None:
    """Every policy of the zoo records only."""
    manage("lifecycle", "disable", "--all")


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Somebody sits there and types an answer."""

    def types(answer: str) -> None:
        typed = io.StringIO(answer)
        monkeypatch.setattr(typed, "isatty", lambda: True)
        monkeypatch.setattr(sys, "stdin", typed)

    return types


def lines(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines()]


@pytest.mark.usefixtures("observing")
class TestEnable:
    def test_shows_counts_and_the_oldest_row(self) -> None:
        now = timezone.now()
        old = [Draft.objects.create(created_at=now - timedelta(days=n)) for n in (9, 3, 2)]
        Draft.objects.create(created_at=now)
        Draft.objects.create(created_at=now - timedelta(days=20), status="live")
        Picture.objects.create(draft=old[1])
        hold(old[2])
        shown = lines(manage(*ENABLE, "drafts", "--dry-run"))
        assert shown[:8] == [
            "drafts on zoo.draft, as of now:",
            "4 rows match",
            "3 are past their end",
            "1 of these are kept now",
            "4 are on the agenda",
            "3 of these are due now",
            "1 holds are in force",
            f"The first to end: zoo.Draft:{old[0].pk}, at {now - timedelta(days=8):%F %T}.",
        ]
        assert shown[8].startswith("The brake: 10,000 rows in 24 hours, 10,000 are left of them.")

    def test_shows_what_goes_on_each_day(self) -> None:
        now = timezone.now()
        for days in (-3, -2, 5, 29, 30, 31, 60):
            Ticket.objects.create(expires_at=now + timedelta(days=days))
        Draft.objects.create(created_at=now - timedelta(days=2))
        found = forecast.forecast(get_policy("tickets"))
        days = [now.date() + timedelta(days=n) for n in (0, 5, 29)]
        assert {day: count for day, count in found.days.items() if count} == {
            days[0]: 2, days[1]: 1, days[2]: 1,
        }  # fmt: skip
        assert len(found.days) == 30
        shown = lines(manage(*ENABLE, "tickets", "--dry-run"))
        assert f"{days[0]} 2 {'#' * 30}" in shown
        assert f"{days[1]} 1 {'#' * 15}" in shown
        grace = forecast.forecast(get_policy("drafts")).days
        assert grace[(now + timedelta(hours=1)).date()] == 1

    def test_graces_of_their_own(self) -> None:
        Order.objects.create(expires_at=timezone.now(), grace=timedelta(days=3))
        assert "Rows tombstoned (each row has its own grace) per day" in manage(
            *ENABLE, "orders", "--dry-run"
        )

    def test_says_what_is_not_backfilled(self) -> None:
        with session() as other:
            other.execute("SET session_replication_role = replica")
            other.execute(
                "INSERT INTO zoo_ticket (id, expires_at) VALUES (gen_random_uuid(), now())"
            )
        shown = manage(*ENABLE, "tickets", "--dry-run")
        assert "At least 1 rows with an end are not on the agenda yet" in shown
        assert "Backfill has not" not in shown
        backfill.ask(get_policy("tickets"))
        shown = manage(*ENABLE, "tickets", "--dry-run")
        assert "Backfill has not come to its end: 0 of about" in shown
        manage("lifecycle", "backfill", "--policy", "tickets")
        assert "ackfill" not in manage(*ENABLE, "tickets", "--dry-run")

    def test_says_that_the_brake_would_stop_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        cap("tickets", 1, monkeypatch)
        due(1)
        assert "halt the policy" not in manage(*ENABLE, "tickets", "--dry-run")
        due(1)
        shown = manage(*ENABLE, "tickets", "--dry-run")
        assert "The brake: 1 rows in 24 hours, 1 are left" in shown
        assert "It would halt the policy at once." in shown
        manage(*ENABLE, "tickets", "--yes")
        run_due()
        assert (state(), Ticket.objects.count()) == ("halted", 2)

    @pytest.mark.slow
    def test_a_table_that_takes_too_long(self, monkeypatch: pytest.MonkeyPatch) -> None:
        due(2)
        monkeypatch.setattr(forecast, "PATIENCE", 0.2)
        with session() as other:
            other.execute("LOCK TABLE zoo_ticket")
            shown = manage(*ENABLE, "tickets", "--dry-run")
        assert "The table was not counted: reading the table takes more than" in shown
        assert "2 of these are due now at most: some of them may be gone" in lines(shown)
        assert "rows match" not in shown
        assert manage(*ENABLE, "tickets", "--dry-run").count("rows match") == 1

    def test_an_error_that_is_no_timeout_is_raised(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def gone(*given: Any) -> None:
            raise OperationalError("the server is gone")

        monkeypatch.setattr(forecast, "_read_table", gone)
        with pytest.raises(CommandError, match="is gone"):
            manage(*ENABLE, "tickets", "--dry-run")

    def test_only_shows(self) -> None:
        due(2)
        before = everything()
        manage(*ENABLE, "tickets", "--dry-run")
        assert everything() == before

    def test_refuses_where_nobody_can_be_asked(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
        assert "say --yes" in fails(*ENABLE, "tickets")
        assert state() == "observe"

    def test_asks(self, terminal: Callable[[str], None]) -> None:
        for answer in ("\n", "n\n", "", "yess\n"):
            terminal(answer)
            shown = manage(*ENABLE, "tickets")
            assert shown.endswith("Enable tickets? [y/N] Nothing was changed.\n")
            assert state() == "observe"
        terminal("Yes\n")
        assert "tickets is enabled" in manage(*ENABLE, "tickets", "--actor", "ada")
        told = Event.objects.filter(policy="tickets").latest("id")
        assert (told.kind, told.actor, told.detail["state"]) == ("policy_changed", "ada", "enabled")

    def test_refused_where_the_declaration_differs(self) -> None:
        PolicyState.objects.filter(name="tickets").update(fingerprint="other")
        assert "declared differently" in fails(*ENABLE, "tickets", "--yes")
        manage("migrate", "--verbosity", "0")
        assert state() == "observe"

    def test_says_the_hours(self, set_hours: Callable[..., None]) -> None:
        set_hours("tickets")
        assert "o'clock only" in manage(*ENABLE, "tickets", "--dry-run")


class TestAll:
    def test_pause_and_resume(self, monkeypatch: pytest.MonkeyPatch) -> None:
        cap("tickets", 1, monkeypatch)
        due(2)
        run_due()
        manage("lifecycle", "disable", "coupons")
        text = manage("lifecycle", "pause", "--all", "--actor", "ada")
        assert "drafts is paused." in text
        assert "tickets is left: it was halted by a brake" in text
        assert "coupons is left: it only observes." in text
        assert set(states_of().values()) == {"paused", "halted", "observe"}
        text = manage("lifecycle", "resume", "--all", "--actor", "ada")
        assert "drafts goes on." in text
        assert "tickets is left: it was halted by a brake: look at it and name it" in text
        assert (states_of()["tickets"], states_of()["coupons"]) == ("halted", "observe")
        told = Event.objects.filter(actor="ada", policy="drafts").order_by("id")
        assert [each.kind for each in told] == ["policy_changed", "resumed"]

    def test_nothing_to_change(self) -> None:
        assert manage("lifecycle", "resume", "--all").endswith("Nothing was changed.\n")

    def test_one_or_all(self) -> None:
        for command in ("pause", "resume", "disable"):
            for given in ((), ("tickets", "--all")):
                assert "Name one policy, or say --all." in fails("lifecycle", command, *given)
        assert set(states_of().values()) == {"enabled"}

    def test_allow_is_for_one(self) -> None:
        assert "--allow is for one" in fails("lifecycle", "resume", "--all", "--allow", "5")

    def test_also_what_this_code_does_not_declare(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Workers of an older code may still run it."""
        from lifecycle.policy.registry import _policies

        monkeypatch.delitem(_policies, "tickets")
        manage("lifecycle", "pause", "--all")
        assert state() == "paused"
        manage("lifecycle", "resume", "tickets", "--database", "default")
        assert state() == "enabled"

    def test_waits_for_the_batch_under_way(self) -> None:
        with session() as other:
            other.execute("SELECT lifecycle.share_lock_v1('tickets')")
            pausing = Background(lambda: states.change_all(states.PAUSE))
            wait_until(waiting)
            assert set(states_of().values()) == {"enabled"}
        assert "tickets" in pausing.result()[0]

    def test_all_or_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        written: list[str] = []
        write = states._write

        def fail_at_the_third(policy: str, *given: Any) -> None:
            written.append(policy)
            if len(written) == 3:
                raise OperationalError("gone")
            write(policy, *given)

        monkeypatch.setattr(states, "_write", fail_at_the_third)
        with pytest.raises(OperationalError):
            states.change_all(states.PAUSE)
        assert set(states_of().values()) == {"enabled"}

    def test_a_halt_is_not_overwritten(self) -> None:
        """A brake that halts while somebody pauses has the last word."""
        with session() as brake:
            brake.execute(
                "SELECT lifecycle.write_v1('halted', 'tickets', 'zoo.ticket', NULL, 0, NULL, NULL,"
                """ NULL, '{"state": "halted"}', NULL)"""
            )
            pausing = Background(lambda: states.pause("tickets"))
            wait_until(waiting)
        with pytest.raises(Exception, match="tickets is halted, not enabled"):
            pausing.result()
        assert state() == "halted"

    @pytest.mark.parametrize(("paused", "expected"), [(True, "paused"), (False, "enabled")])
    def test_a_policy_that_comes_later(self, paused: bool, expected: str) -> None:
        if paused:
            manage("lifecycle", "pause", "--all")
        PolicyState.objects.filter(name="coupons").delete()
        sync.store(get_policy("coupons"), "default")
        assert states_of()["coupons"] == expected
        with renamed("drafts", "sketches"):
            assert states_of()["sketches"] == expected
        PolicyState.objects.filter(name="sketches").delete()
        manage("migrate", "--verbosity", "0")


def states_of() -> dict[str, str]:
    return dict(PolicyState.objects.values_list("name", "state"))


WRONG = [
    (("enable", "tikets"), "Did you mean 'tickets'?"),
    (("enable", "tickets", "--yes"), "tickets is enabled, not observe."),
    (("enable", "tickets", "--yes", "--database", "nowhere"), "There is no database 'nowhere'"),
    (("disable", "tikets"), "Did you mean 'tickets'?"),
    (("disable", "coupons"), "coupons is observe, not enabled or paused or halted."),
    (("pause", "tikets"), "Did you mean 'tickets'?"),
    (("pause", "drafts"), "drafts is paused, not enabled."),
    (("pause", "--all", "--database", "nowhere"), "There is no database 'nowhere'"),
    (("resume", "tikets"), "Did you mean 'tickets'?"),
    (("resume", "tickets"), "tickets is enabled, not paused or halted."),
    (("resume", "drafts", "--allow", "-5"), "cannot be less than none"),
    (("resume", "orders"), "orders was halted by a brake: say who resumes it (--actor)."),
    (("status", "tikets"), "Did you mean 'tickets'?"),
    (("status", "--database", "nowhere"), "There is no database 'nowhere'"),
]


HALT = """SELECT lifecycle.write_v1('halted', name, model, NULL, 0, NULL, NULL, NULL,
    '{"state": "halted"}', NULL) FROM lifecycle_policy WHERE name = 'orders'"""
MISTYPED = [
    ("pause",),
    ("resume", "drafts", "--allow", "few"),
    ("enable",),
    ("disable", "a", "b"),
]


def test_wrong_input_is_told_and_changes_nothing() -> None:
    states.pause("drafts")
    states.disable("coupons")
    fetch("default", HALT)
    before = everything()
    for given, said in WRONG:
        assert said in fails("lifecycle", *given), given
    for given in MISTYPED:
        with pytest.raises(CommandError):
            manage("lifecycle", *given)
    assert everything() == before
