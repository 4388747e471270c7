"""A site whose router reads from a replica that is behind: nothing of ours does."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connections
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from lifecycle import context, expire_now, hold, release, restore
from lifecycle.ledger import policy_states as states
from lifecycle.models import Event, PolicyState, RowException
from purge.runner import run_due
from purge.worker import pulse
from tests.infra.servers import until
from tests.places.servers import Replica
from tests.purge.worker.consumer import Consumer, address, endings
from tests.support import let_pass, make_due
from tests.zoo.models import Draft, Line, Order, Person, Picture, Spark, Token

Start = Callable[..., Consumer]
ROUTER = "tests.places.routers.ReadsElsewhere"
AGO = timedelta(days=3)
pytestmark = [
    pytest.mark.usefixtures("stale"),
    pytest.mark.django_db(transaction=True, databases=["default", "replica"]),
]


@pytest.fixture(autouse=True)
def router(settings: Any) -> None:
    settings.DATABASE_ROUTERS = [ROUTER]


@contextmanager
def unread() -> Iterator[None]:
    """Fails where something asks the replica."""

    def refuse(execute: Any, sql: str, *others: Any) -> Any:
        raise AssertionError(f"asked of the replica: {sql}")

    with connections["replica"].execute_wrapper(refuse):
        yield


def manage(*arguments: str, **options: Any) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out, stderr=out, **options)
    return out.getvalue()


def test_the_host_reads_what_is_old(stale: Replica) -> None:
    Token.objects.create()
    assert not Token.objects.exists()
    stale.catch_up()
    assert Token.objects.exists()
    with pytest.raises(AssertionError, match="asked of the replica"), unread():
        Token.objects.exists()


def test_what_people_say_of_a_row_read_there(stale: Replica) -> None:
    Token.objects.create(expires_at=timezone.now() - AGO)
    stale.catch_up()
    row = Token.objects.get()
    assert row._state.db == "replica"
    with unread(), context(actor="jo"):
        number = hold(row, reason="dispute")
        assert release(number) == 1
        hold(row)
        release(row)
        restore(row)
        expire_now(row, policy="tokens")
        hold("tokens")
        release("tokens")
    said = Event.objects.using("default").filter(actor="jo").order_by("id")
    assert [each.kind for each in said if each.kind != "expiry_scheduled"] == [
        *("hold_placed", "hold_released") * 2, "restored", "restored", "expired_by_hand",
        "hold_placed", "hold_released",
    ]  # fmt: skip
    assert RowException.objects.using("default").get(kind="expired_by_hand")


def test_a_pass_reads_the_primary() -> None:
    now = timezone.now()
    drafts = [Draft.objects.create(created_at=now - AGO) for _ in range(4)]
    Picture.objects.create(draft=drafts[0])  # keeps it
    hold(drafts[1])
    order = Order.objects.create(expires_at=now - AGO, grace=timedelta(0))
    Line.objects.create(order=order)
    with unread():
        run_due()
        let_pass(timedelta(hours=2))
        run_due()
        there = Draft.objects.using("default").order_by("pk")
        assert list(there.values_list("pk", flat=True)) == [each.pk for each in drafts[:2]]
        assert not Order.objects.using("default").exists()
        assert not Line.objects.using("default").exists()


@pytest.mark.slow
def test_every_command_reads_the_primary() -> None:
    Token.objects.create(expires_at=timezone.now() + AGO)
    with unread():
        assert "tokens" in manage("lifecycle", "status")
        make_due(Token.objects.using("default"))
        manage("purge", "--dry-run")
        manage("lifecycle", "pause", "tokens", actor="jo")
        manage("lifecycle", "resume", "tokens", actor="jo")
        manage("lifecycle", "install")
        say_and_ask(Token.objects.using("default").get())
        manage("lifecycle", "rebuild")
        manage("lifecycle", "verify")
        assert "Purge" in manage("purge")
        assert not Token.objects.using("default").exists()
        manage("migrate", verbosity=0)
        call_command("check", databases=["default"])
        states.pause("tokens")
        assert pulse.tick("default") == []


def say_and_ask(row: Token) -> None:
    """Each command about a row."""
    name = f"zoo.Token:{row.pk}"
    manage("lifecycle", "hold", name, "--reference", "R-1")
    manage("lifecycle", "hold", "zoo.Token", "--all", "--reference", "R-1")
    assert "R-1" in manage("lifecycle", "holds")
    assert "R-1" in manage("lifecycle", "why", name)
    manage("lifecycle", "release", "--reference", "R-1")
    manage("purge", "--replay", "--dry-run")
    person = Person.objects.create()
    asked = f"zoo.Person:{person.pk}"
    assert "R-2" in manage("lifecycle", "erase", asked, "--reference", "R-2", "--yes")


@pytest.mark.slow
def test_the_admin_reads_and_steers_the_primary(client: Client, stale: Replica) -> None:
    user = get_user_model()(username="jo", is_staff=True, is_superuser=True)
    user.save()
    Token.objects.create(pk=7, expires_at=timezone.now() + AGO)
    client.force_login(user)
    stale.catch_up()  # the site's own sessions are read there
    Token.objects.using("default").filter(pk=7).update(expires_at=timezone.now() - AGO)
    url = reverse("admin:lifecycle_policystate_changelist")
    found = client.get(reverse("admin:lifecycle_event_changelist")).content.decode()
    assert found.count("expiry scheduled</td>") == 3  # of the token, and of jo's own session
    done = client.post(url, {"action": "pause", "_selected_action": ["tokens"]}, follow=True)
    assert "Paused: tokens" in done.content.decode()
    assert PolicyState.objects.using("default").get(name="tokens").state == "paused"


@pytest.mark.slow
def test_a_worker_reads_the_primary(stale: Replica, consumer: Start, settings: Any) -> None:
    entry = connections.settings["replica"]
    url = address(application_name="replica", host=entry["HOST"], port=entry["PORT"])
    site = {"DJANGO_SETTINGS_MODULE": "tests.places.site", "ROUTER": ROUTER, "REPLICA_URL": url}
    consumer("worker", **site)
    settings.DATABASE_ROUTERS = []
    due = timezone.now() + timedelta(seconds=1)
    made = Spark.objects.bulk_create(Spark(flash=i % 2 == 0, expires_at=due) for i in range(60))
    until(lambda: not Spark.objects.exists(), 20)
    assert endings() == {str(row.pk): 1 for row in made}
    who = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'replica'"
    assert stale.ask(who) == 0
