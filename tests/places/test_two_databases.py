"""Policies in two databases: a ledger in each, and one worker for both."""

import json
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connections, transaction
from django.utils import timezone

from lifecycle import context, expire_now, hold, release, restore
from lifecycle.exceptions import LifecycleError
from lifecycle.ledger.row_names import row_of
from lifecycle.models import AgendaEntry, Event, PolicyState
from lifecycle.policy.databases import served
from lifecycle.policy.registry import all_policies, get_policy
from purge.batch import clock
from purge.batch.clock import TOLERANCE
from purge.models import Run
from purge.passes.options import PassOptions
from purge.runner import run_due
from purge.worker import memory, pulse
from tests.places.routers import Split
from tests.purge.worker.consumer import Consumer
from tests.zoo.models import Line, Order, Person, Ticket, Token

Start = Callable[..., Consumer]
AGO = timedelta(days=3)
pytestmark = [
    pytest.mark.usefixtures("second"),
    pytest.mark.django_db(transaction=True, databases=["default", "second"]),
]


@pytest.fixture(autouse=True)
def router(settings: Any) -> None:
    """Orders, tickets and sparks are in the second database, all others in the default one."""
    names = "zoo.ticket", "zoo.order", "zoo.line", "zoo.spark", "zoo.person"
    settings.DATABASE_ROUTERS = [Split(*names)]


def manage(*arguments: str, **options: Any) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out, stderr=out, **options)
    return out.getvalue()


def ended(using: str) -> dict[str, int]:
    """How many rows of each policy were purged, by the ledger of a database."""
    counted: dict[str, int] = {}
    for event in Event.objects.using(using).filter(kind="purged"):
        counted[event.policy] = counted.get(event.policy, 0) + event.count
    return counted


def due_in_both() -> None:
    past = timezone.now() - AGO
    Token.objects.create(expires_at=past)
    Ticket.objects.create(expires_at=past)
    order = Order.objects.create(expires_at=past, grace=timedelta(0))
    Line.objects.create(order=order)


@pytest.mark.slow
def test_each_row_is_told_to_the_ledger_beside_it() -> None:
    due_in_both()
    entries = {using: AgendaEntry.objects.using(using) for using in served()}
    assert {using: {each.policy for each in found} for using, found in entries.items()} == {
        "default": {"tokens"},
        "second": {"tickets", "orders"},
    }


def test_a_pass_over_each() -> None:
    due_in_both()
    text = manage("purge")
    assert "Purge in default" in text
    assert "Purge in second" in text
    assert (ended("default"), ended("second")) == ({"tokens": 1}, {"orders": 1, "tickets": 1})
    assert not any(model.objects.exists() for model in (Token, Ticket, Order, Line))
    assert {using: Run.objects.using(using).count() for using in served()} == {
        "default": 1,
        "second": 2,
    }
    assert manage("purge").count("Nothing is due in") == 2


def test_a_policy_is_sought_where_its_rows_are() -> None:
    due_in_both()
    manage("purge", "--policy", "tickets")
    assert (ended("default"), ended("second")) == ({}, {"tickets": 1})
    manage("purge", "--database", "default")
    assert ended("default") == {"tokens": 1}
    assert Order.objects.exists()


@pytest.mark.parametrize("command", [("purge",), ("lifecycle", "status"), ("lifecycle", "verify")])
def test_unknown_database(command: tuple[str, ...]) -> None:
    with pytest.raises(CommandError, match="There is no database 'secnd': default, second"):
        manage(*command, "--database", "secnd")


def test_status_tells_each_policy_once() -> None:
    due_in_both()
    found = json.loads(manage("lifecycle", "status", "--json"))
    assert sorted(each["policy"] for each in found) == [policy.name for policy in all_policies()]
    told = {each["policy"]: (each["database"], each["due"]) for each in found}
    assert told["tickets"] == ("second", 1)
    assert told["tokens"] == ("default", 1)
    assert "zoo.ticket (second)" in manage("lifecycle", "status")
    only = json.loads(manage("lifecycle", "status", "--json", "--database", "second"))
    assert {each["policy"] for each in only} == {"flashes", "orders", "people", "sparks", "tickets"}


def test_status_fails_for_the_second_one_as_well() -> None:
    due_in_both()
    AgendaEntry.objects.using("second").update(due_at=timezone.now() - AGO)
    with connections["second"].cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE lifecycle_event SET recorded_at = recorded_at - interval '1 hour'")
        cursor.execute("SET session_replication_role = DEFAULT")
    with pytest.raises(SystemExit):
        manage("lifecycle", "status")
    manage("lifecycle", "status", "--database", "default")


def test_a_policy_that_is_not_migrated_there_is_told() -> None:
    PolicyState.objects.using("second").filter(name="tickets").delete()
    with pytest.raises(SystemExit):
        manage("lifecycle", "status")


@pytest.mark.slow
def test_commands_go_where_the_policy_is() -> None:
    def state(name: str) -> str:
        return PolicyState.objects.using("second").get(name=name).state

    manage("lifecycle", "pause", "tickets", actor="jo")
    assert state("tickets") == "paused"
    assert Event.objects.using("second").get(kind="policy_changed", actor="jo")
    assert PolicyState.objects.using("default").get(name="tickets").state == "enabled"
    due_in_both()
    manage("purge")
    assert (ended("default"), ended("second")) == ({"tokens": 1}, {"orders": 1})
    manage("lifecycle", "resume", "tickets", actor="jo")
    assert state("tickets") == "enabled"
    text = manage("lifecycle", "rebuild")
    assert text.count("rebuilt from") == 2
    assert "Database second:" in text
    manage("lifecycle", "verify")


def test_an_error_in_one_is_told_after_the_other_is_done() -> None:
    due_in_both()
    with transaction.atomic(), connections["default"].cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("DELETE FROM lifecycle_agenda")
    out = StringIO()
    with pytest.raises(CommandError, match="violations"):
        call_command("lifecycle", "verify", stdout=out, stderr=out)
    assert "Database second:" in out.getvalue()
    manage("lifecycle", "verify", "--database", "second")
    manage("lifecycle", "rebuild")


def test_what_people_say_goes_to_the_rows_ledger() -> None:
    ticket = Ticket.objects.create(expires_at=timezone.now() + AGO)
    with context(actor="jo", using="second"):
        number = hold(row_of(f"zoo.Ticket:{ticket.pk}"))
        release(number, using="second")
        restore(ticket)
        hold("tickets")
        release("tickets")
        expire_now(ticket)
    said = Event.objects.using("second").filter(actor="jo").exclude(kind="expiry_scheduled")
    assert list(said.order_by("id").values_list("kind", flat=True)) == [
        *("hold_placed", "hold_released", "restored", "hold_placed", "hold_released"),
        "expired_by_hand",
    ]
    assert not Event.objects.using("default").filter(actor="jo").exists()
    with pytest.raises(LifecycleError):
        release(number)
    run_due(PassOptions(using="second"))
    assert not Ticket.objects.exists()


def test_a_number_means_an_event_of_one_ledger() -> None:
    for model in (Token, Ticket):
        row = model.objects.create()
        manage("lifecycle", "hold", f"{model._meta.label}:{row.pk}", "--reference", "R-1")
    numbers = [Event.objects.using(each).get(kind="hold_placed").pk for each in served()]
    with pytest.raises(CommandError, match="Say in which --database"):
        manage("lifecycle", "release", "--number", str(numbers[1]))
    manage("lifecycle", "release", "--number", str(numbers[1]), "--database", "second")
    text = manage("lifecycle", "holds")
    assert "zoo.token" in text
    assert "zoo.ticket" not in text
    manage("lifecycle", "release", "--reference", "R-1", "--database", "default")


def test_a_row_is_erased_where_it_is() -> None:
    row = Order.objects.create(expires_at=timezone.now() + AGO)
    text = manage("lifecycle", "why", f"zoo.Order:{row.pk}")
    assert "expiry_scheduled" in text
    with pytest.raises(CommandError, match="policy"):
        manage("lifecycle", "erase", f"zoo.Order:{row.pk}", "--reference", "R-2", "--yes")
    person = Person.objects.create()
    asked = ("--reference", "R-2", "--grace", "0", "--yes")
    assert "R-2" in manage("lifecycle", "erase", f"zoo.Person:{person.pk}", *asked)
    assert not Person.objects.exists()


def test_the_pulses_ask_each_their_own(settings: Any) -> None:
    from huey.contrib.djhuey import HUEY

    memory._memories.clear()
    HUEY.storage.flush_queue()
    due_in_both()
    try:
        assert pulse.tick("default") == ["tokens"]
        assert sorted(pulse.tick("second")) == ["orders", "tickets"]
        assert pulse.tick("second") == []
    finally:
        HUEY.storage.flush_queue()
        HUEY.storage.close()
        memory._memories.clear()


def test_clocks_may_differ() -> None:
    """Two servers an hour apart: neither has jumped."""
    now = timezone.now()
    clock._guards.clear()
    try:
        for _ in range(2):
            clock.check_clock(now, "tokens", "default")
            clock.check_clock(now + 60 * TOLERANCE, "tokens", "second")
    finally:
        clock._guards.clear()


def test_a_database_without_a_ledger_gets_no_functions(settings: Any) -> None:
    """`migrate` of a database in which the router wants none of our tables."""
    settings.DATABASE_ROUTERS = [Split("zoo.ticket", ledgers=False)]
    with connections["second"].cursor() as cursor:
        cursor.execute("CREATE SCHEMA apart")
    entry = connections.settings["second"]
    options = entry["OPTIONS"] | {"options": "-c search_path=apart"}
    connections.settings["second"] = entry | {"OPTIONS": options}
    connections["second"].close()
    del connections["second"]
    try:
        with connections["second"].cursor() as cursor:
            cursor.execute("ALTER SCHEMA lifecycle RENAME TO lifecycle_before")
        manage("migrate", "lifecycle", database="second", verbosity=0)
        with connections["second"].cursor() as cursor:
            cursor.execute("SELECT to_regnamespace('lifecycle')")
            assert cursor.fetchone() == (None,)
            cursor.execute("ALTER SCHEMA lifecycle_before RENAME TO lifecycle")
            cursor.execute("DROP SCHEMA apart CASCADE")
    finally:
        connections["second"].close()
        del connections["second"]
        connections.settings["second"] = entry
    assert get_policy("tickets")
