"""`manage.py lifecycle` and `manage.py purge`, each subcommand and each refusal."""

import getpass
import json
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from rich.console import Console

from lifecycle import hold, release
from lifecycle.db.connection import fetch, statement
from lifecycle.ledger import policy_states as states
from lifecycle.models import AgendaEntry, Event, PolicyState, RowException
from lifecycle.policy.registry import _policies, get_policy
from purge.models import Run
from purge.passes.options import PassOptions
from purge.runner import run_due, turns
from tests.commands.documented import assert_documented
from tests.support import SetHours, let_pass, session
from tests.zoo.models import Contract, Coupon, Draft, Picture, Preference, Ticket, Token

pytestmark = pytest.mark.django_db(transaction=True)
AGO = timedelta(minutes=5)


def manage(*arguments: str) -> str:
    """What the command prints."""
    out = StringIO()
    call_command(*arguments, stdout=out, stderr=out)
    return out.getvalue()


def fails(*arguments: str) -> str:
    """What the command prints, when its exit code says that something is wrong."""
    out = StringIO()
    with pytest.raises((CommandError, SystemExit)) as caught:
        call_command(*arguments, stdout=out, stderr=out)
    code = caught.value.code if isinstance(caught.value, SystemExit) else caught.value.returncode
    assert code == 1
    return f"{out.getvalue()}{caught.value}"


def status(policy: str, *arguments: str, ok: bool = True) -> dict[str, Any]:
    run = manage if ok else fails
    text = run("lifecycle", "status", policy, "--json", *arguments)
    (found,) = every = json.JSONDecoder().raw_decode(text)[0]
    assert_documented("lifecycle status", every)
    return dict(found)


def state(policy: str = "tickets") -> str:
    return PolicyState.objects.get(name=policy).state


def due(count: int = 1) -> None:
    Ticket.objects.bulk_create(Ticket(expires_at=timezone.now() - AGO) for _ in range(count))


def cap(policy: str, rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(get_policy(policy), "cap_rows", rows)
    monkeypatch.setattr(get_policy(policy), "cap_fraction", 0)


class TestStatus:
    def test_lists_every_policy(self) -> None:
        text = manage("lifecycle", "status")
        assert all(name in text for name in _policies)
        assert "lag" in text

    def test_counts_rows(self) -> None:
        now = timezone.now()
        for ago in (2, 2, -9):
            Draft.objects.create(created_at=now - timedelta(days=ago))
        run_due()
        Draft.objects.create(created_at=now - timedelta(days=2))
        found = status("drafts")
        counts = ("state", "table", "scheduled", "due", "tombstoned", "blocked")
        assert [found[name] for name in counts] == ["enabled", "zoo.draft", 1, 1, 2, 0]
        assert 0 <= found["lag"] < 600

    def test_held_rows_and_policies(self) -> None:
        assert status("tickets")["held"] == 0
        hold(Ticket.objects.create())
        hold("tickets")
        found = status("tickets")
        assert (found["held"], found["barred"]) == (2, True)

    def test_says_what_signals_cannot_see(self) -> None:
        assert "legacy: signals do not see bulk_create()" in manage("lifecycle", "status")
        assert status("legacy")["capture"] == "signals"
        assert "bulk_create()" in status("legacy")["blind_to"]
        assert status("tickets")["capture"] == "triggers"

    def test_halted_is_a_problem(self, monkeypatch: pytest.MonkeyPatch) -> None:
        cap("tickets", 1, monkeypatch)
        due(2)
        run_due()
        assert "halted by a brake" in status("tickets", ok=False)["problems"][0]
        assert "tickets: halted by a brake" in fails("lifecycle", "status")

    def test_kept_and_the_last_run(self) -> None:
        assert status("drafts")["last_run"] is None
        draft = Draft.objects.create(created_at=timezone.now() - timedelta(days=2))
        Picture.objects.create(draft=draft)
        before = timezone.now()
        run_due()
        found = status("drafts")
        assert (found["kept"], found["tombstoned"], found["due"]) == (1, 0, 0)
        assert before < datetime.fromisoformat(found["last_run"]) < timezone.now()
        Run.objects.update(error="DataError")
        assert "drafts: its last run ended with DataError" in manage("lifecycle", "status")

    def test_what_waits_for_its_hours_does_not_lag(self, set_hours: SetHours) -> None:
        due()
        let_pass(timedelta(hours=3))
        set_hours("tickets")
        found = status("tickets")
        assert (found["lag"], found["problems"]) == (None, [])
        assert datetime.fromisoformat(found["opens_at"]) > timezone.now()
        assert "tickets: outside its purge hours until" in manage("lifecycle", "status")
        set_hours("tickets", is_open=True)
        found = status("tickets", "--max-lag", "3700")
        assert 0 < found["lag"] <= 3600
        assert found["opens_at"] is None

    def test_the_most_lag_is_a_setting(self, settings: Any) -> None:
        due()
        let_pass(timedelta(minutes=2))
        settings.LIFECYCLE_MAX_LAG = 60
        assert "behind" in status("tickets", ok=False)["problems"][0]

    @pytest.mark.parametrize("width", [80, 120, 250])
    def test_fits_the_terminal(self, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
        """Each column is shown whole, in one table or in two."""

        def console(command: Any) -> Console:
            return Console(file=command.stdout._out, width=width)

        monkeypatch.setattr("lifecycle.management.subcommands.status.console_of", console)
        text = manage("lifecycle", "status")
        assert max(map(len, text.splitlines())) <= width
        assert "…" not in text
        columns = ("scheduled", "due", "tombstoned", "kept", "blocked", "held", "lag", "table")
        assert all(column in text for column in (*columns, "last run", "next due"))
        assert text.count("tickets") == (1 if width > 200 else 2)

    def test_paused_is_none(self) -> None:
        manage("lifecycle", "pause", "tickets")
        due()
        let_pass(timedelta(hours=2))
        assert status("tickets")["problems"] == []

    def test_blocked_is_a_problem_until_it_is_mended(self) -> None:
        draft = Draft.objects.create(created_at=timezone.now() - timedelta(days=2))
        contract = Contract.objects.create(draft=draft)
        run_due()
        let_pass(timedelta(hours=2))
        run_due()
        assert status("drafts", ok=False)["blocked"] == 1
        contract.delete()
        let_pass(timedelta(hours=2))
        run_due()
        assert status("drafts")["blocked"] == 0

    def test_failed_capture_is_a_problem_until_the_worker_has_looked(self) -> None:
        Preference.objects.create(created_at=timezone.now(), data={"days": "many"})
        assert status("preferences", ok=False)["failed"] == 1
        run_due()
        found = status("preferences", ok=False)
        assert (found["failed"], found["blocked"]) == (0, 1)

    def test_another_declaration_is_a_problem(self) -> None:
        PolicyState.objects.filter(name="tickets").update(fingerprint="other")
        assert "declared differently" in status("tickets", ok=False)["problems"][0]
        manage("migrate", "--verbosity", "0")
        status("tickets")

    def test_a_policy_without_code_is_a_problem(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delitem(_policies, "tickets")
        assert "tickets: not declared in this code" in fails("lifecycle", "status")

    def test_a_policy_that_is_not_stored_is_a_problem(self) -> None:
        PolicyState.objects.filter(name="tickets").delete()
        assert "lifecycle install" in status("tickets", ok=False)["problems"][0]
        manage("migrate", "--verbosity", "0")

    def test_lag_is_a_problem(self) -> None:
        due()
        assert status("tickets")["due"] == 1
        let_pass(timedelta(minutes=2))
        assert "behind" in status("tickets", "--max-lag", "60", ok=False)["problems"][0]
        assert status("tickets", "--max-lag", "600")["due"] == 1

    def test_unknown_policy(self) -> None:
        assert "Did you mean 'tickets'?" in fails("lifecycle", "status", "ticket")


class TestSteering:
    def test_pause_and_resume(self) -> None:
        assert "is paused" in manage("lifecycle", "pause", "tickets", "--actor", "ada")
        assert state() == "paused"
        assert "goes on" in manage("lifecycle", "resume", "tickets", "--actor", "bob")
        assert state() == "enabled"
        told = Event.objects.filter(policy="tickets", actor__gt="").order_by("id")
        assert [(e.kind, e.actor) for e in told] == [("policy_changed", "ada"), ("resumed", "bob")]

    def test_the_actor_is_the_user_of_the_shell(self) -> None:
        manage("lifecycle", "pause", "tickets")
        manage("lifecycle", "resume", "tickets")
        actors = Event.objects.filter(policy="tickets", actor__gt="").values_list(
            "actor", flat=True
        )
        assert list(actors) == [getpass.getuser()] * 2

    def test_disable(self) -> None:
        due()
        manage("lifecycle", "disable", "tickets", "--actor", "ada")
        assert state() == "observe"
        assert run_due() == {}
        assert "tickets is observe, not enabled" in fails("lifecycle", "disable", "tickets")
        manage("lifecycle", "enable", "tickets", "--yes", "--actor", "bob")
        assert run_due()["tickets"].purged == 1
        told = Event.objects.filter(policy="tickets", actor__gt="").order_by("id")
        assert [(e.actor, e.detail["state"]) for e in told] == [
            ("ada", "observe"),
            ("bob", "enabled"),
        ]

    def test_enable(self) -> None:
        fails("lifecycle", "enable", "tickets")
        change = {"policy": "tickets", "kind": "policy_changed", "state": "observe", "allow": 0}
        fetch("default", statement(states.__file__, "change_state"), change)
        assert state() == "observe"
        due()
        assert run_due() == {}
        assert "ends rows from now on" in manage("lifecycle", "enable", "tickets", "--yes")
        assert run_due()["tickets"].purged == 1

    @pytest.mark.parametrize("command", ["enable", "resume"])
    def test_refused_in_the_wrong_state(self, command: str) -> None:
        assert "tickets is enabled, not " in fails("lifecycle", command, "tickets")

    def test_pause_twice(self) -> None:
        manage("lifecycle", "pause", "tickets")
        assert "tickets is paused, not enabled" in fails("lifecycle", "pause", "tickets")

    def test_resume_after_a_halt(self, monkeypatch: pytest.MonkeyPatch) -> None:
        cap("tickets", 1, monkeypatch)
        due(2)
        run_due()
        assert "--actor" in fails("lifecycle", "resume", "tickets")
        manage("lifecycle", "resume", "tickets", "--actor", "ada", "--allow", "1")
        assert run_due()["tickets"].purged == 2

    @pytest.mark.parametrize("command", ["enable", "disable", "pause", "resume"])
    def test_unknown_policy(self, command: str) -> None:
        assert "Did you mean 'tickets'?" in fails("lifecycle", command, "tikets")

    def test_command_is_required(self) -> None:
        with pytest.raises(CommandError, match="required: command"):
            call_command("lifecycle")


def test_rebuild_says_how_many_events_it_read() -> None:
    due(3)
    hold(Ticket.objects.all()[0])
    before = projections()
    read = Event.objects.count()
    text = manage("lifecycle", "rebuild")
    assert text == f"Agenda and row exceptions rebuilt from {read} events.\n"
    assert projections() == before


def projections() -> list[Any]:
    exceptions = RowException.objects.order_by("event").values_list("event", "kind", "key")
    return [*AgendaEntry.objects.order_by("pk").values_list(), *exceptions]


def everything() -> dict[str, list[str]]:
    """Every row of every table."""
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        found = {}
        for table in tables:
            cursor.execute(f"SELECT t::text FROM {connection.ops.quote_name(table)} AS t")
            found[table] = sorted(row for (row,) in cursor.fetchall())
    return found


class TestPurge:
    def test_nothing_is_due(self) -> None:
        assert manage("purge") == "Nothing is due.\n"

    def test_summary(self) -> None:
        due(3)
        Draft.objects.create(created_at=timezone.now() - timedelta(days=2))
        lines = manage("purge").splitlines()
        header = [cell.strip() for cell in lines[2].strip("┃").split("┃")]
        assert header[:3] == ["policy", "tombstoned", "purged"]
        rows = [[c.strip() for c in line.strip("│").split("│")] for line in lines if "│" in line]
        assert [row[:3] for row in rows] == [["drafts", "1", "0"], ["tickets", "0", "3"]]
        assert (Ticket.objects.count(), Run.objects.get(policy="tickets").origin) == (0, "purge")

    def test_one_policy(self) -> None:
        due()
        Token.objects.create(expires_at=timezone.now() - AGO)
        assert "tokens" not in manage("purge", "--policy", "tickets")
        assert (Ticket.objects.count(), Token.objects.count()) == (0, 1)

    def test_limit(self) -> None:
        due(7)
        manage("purge", "--limit", "5")
        assert Ticket.objects.count() == 2
        manage("purge", "--limit", "5")
        assert Ticket.objects.count() == 0

    @pytest.mark.parametrize("limit", ["0", "-1"])
    def test_limit_is_one_or_more(self, limit: str) -> None:
        assert "--limit must be 1 or more" in fails("purge", "--limit", limit)

    def test_unknown_policy(self) -> None:
        assert "Did you mean 'tickets'?" in fails("purge", "--policy", "ticket")

    @pytest.mark.parametrize("limit", [[], ["--limit", "2"]])
    def test_dry_run_leaves_the_database_as_it_was(self, limit: list[str]) -> None:
        due(3)
        Coupon.objects.create(code="[red]:smile:", expires_at=timezone.now() - AGO)
        draft = Draft.objects.create(created_at=timezone.now() - timedelta(days=2))
        Contract.objects.create(draft=draft)
        Preference.objects.create(created_at=timezone.now(), data={"days": "many"})
        before = everything()
        text = manage("purge", "--dry-run", *limit)
        assert everything() == before
        assert "Dry run: nothing was changed" in text
        assert "[red]:smile:" in text
        first = sorted(map(str, Ticket.objects.values_list("pk", flat=True)))
        assert ", ".join(first[: 2 if limit else 3]) in text

    def test_dry_run_shows_a_halt_and_makes_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        cap("tickets", 1, monkeypatch)
        due(2)
        before = everything()
        assert "tickets: halted: more than 1 rows are due" in fails("purge", "--dry-run")
        assert (everything(), state()) == (before, "enabled")

    def test_halt(self, monkeypatch: pytest.MonkeyPatch) -> None:
        cap("tickets", 1, monkeypatch)
        due(2)
        text = fails("purge")
        assert "tickets: halted: more than 1 rows are due" in text
        assert text.endswith("A brake stopped a policy.")
        assert Ticket.objects.count() == 2

    @pytest.mark.parametrize("asked", [[], ["--policy", "tickets"]])
    def test_says_why_a_policy_does_not_act(self, asked: list[str]) -> None:
        due()
        manage("lifecycle", "pause", "tickets")
        assert "tickets: paused" in manage("purge", *asked)
        manage("lifecycle", "resume", "tickets")
        hold("tickets")
        assert "tickets: held" in manage("purge", *asked)
        release("tickets")
        PolicyState.objects.filter(name="tickets").update(fingerprint="other")
        assert "tickets: declared differently in the database" in manage("purge", *asked)
        manage("migrate", "--verbosity", "0")
        assert Ticket.objects.count() == 1

    def test_no_bar_where_there_is_no_terminal(self) -> None:
        due(3)
        text = manage("purge")
        assert "\r" not in text
        assert "\x1b" not in text
        assert text.lstrip().startswith("Purge")


@pytest.mark.django_db(transaction=True)
def test_dry_run_keeps_no_lock_between_its_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each batch is taken back at once: a site with a million due rows goes on meanwhile."""
    Token.objects.create(expires_at=timezone.now() - timedelta(hours=1))
    passes = turns(get_policy("tokens"), PassOptions(dry=True))
    assert next(passes).purged == 1
    with session() as other:
        other.execute("SELECT FROM zoo_token FOR UPDATE NOWAIT")
        other.execute("SELECT lifecycle.take_lock_v1('tokens')")
    assert list(passes) == []
    assert Token.objects.count() == 1


class TestThePolicyOfACommand:
    """`--policy NAME` everywhere; the name alone where nothing else can be meant."""

    @pytest.mark.parametrize("named", [["tickets"], ["--policy", "tickets"]])
    def test_either_way(self, named: list[str]) -> None:
        assert manage("lifecycle", "pause", *named) == "tickets is paused.\n"
        assert state("drafts") == "enabled"
        assert manage("lifecycle", "resume", *named) == "tickets goes on.\n"
        manage("lifecycle", "disable", *named)
        assert "tickets is enabled" in manage("lifecycle", "enable", "--yes", *named)
        assert state() == "enabled"

    def test_several(self) -> None:
        text = manage("lifecycle", "status", "tickets", "--policy", "drafts", "--json")
        assert [each["policy"] for each in json.loads(text)] == ["drafts", "tickets"]

    @pytest.mark.parametrize("command", ["enable", "disable", "pause", "resume"])
    def test_both_are_refused(self, command: str) -> None:
        before = state("tickets"), state("drafts")
        with pytest.raises(CommandError, match="not allowed with argument"):
            call_command("lifecycle", command, "tickets", "--policy", "drafts")
        assert (state("tickets"), state("drafts")) == before
