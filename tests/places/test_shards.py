"""The same tables in two databases."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.management import CommandError
from django.test import Client
from django.utils import timezone

from lifecycle import hold
from lifecycle.exceptions import LifecycleError
from lifecycle.ledger import policy_states as states
from lifecycle.models import Event
from lifecycle.policy.databases import served
from purge.notices import send
from purge.worker.whole_pass import run_all
from tests.places.test_two_databases import ended, manage
from tests.zoo.models import Guest, Token

AGO = timedelta(days=3)
pytestmark = [
    pytest.mark.usefixtures("second"),
    pytest.mark.django_db(transaction=True, databases=["default", "second"]),
]


@pytest.fixture(autouse=True)
def router(settings: Any) -> None:
    settings.DATABASE_ROUTERS = []


def said() -> list[str | None]:
    """The ids of what the checks of both databases find, as `manage.py check` shows them."""
    found = run_checks(tags=["database"], databases=["default", "second"])
    return [message.id for message in found if not message.is_silenced()]


@pytest.mark.slow
def test_a_shard_that_is_not_named_is_left_alone_and_told() -> None:
    Token.objects.using("second").create(expires_at=timezone.now() - AGO)
    manage("purge")
    assert Token.objects.using("second").exists()
    assert said() == ["lifecycle.W110"]


@pytest.mark.slow
def test_named_ones_are_looked_after(settings: Any) -> None:
    settings.LIFECYCLE_DATABASES = ["default", "second"]
    for using in served():
        Token.objects.using(using).create(expires_at=timezone.now() - AGO)
    assert said() == []
    manage("lifecycle", "pause", "tokens")
    manage("purge")
    assert all(Token.objects.using(using).exists() for using in served())
    with pytest.raises(LifecycleError, match="tokens is paused"):
        states.pause("tokens", using="second")
    manage("lifecycle", "resume", "tokens")
    manage("purge")
    assert not any(Token.objects.using(using).exists() for using in served())
    assert (ended("default"), ended("second")) == ({"tokens": 1}, {"tokens": 1})


def test_a_command_about_a_row_wants_to_know_where(settings: Any) -> None:
    settings.LIFECYCLE_DATABASES = ["default", "second"]
    for using in served():
        Token.objects.using(using).create(pk=5)
    for command in (("why",), ("restore", "--policy", "tokens"), ("hold",)):
        with pytest.raises(CommandError, match="Say in which --database: default, second"):
            manage("lifecycle", *command, "zoo.Token:5")
    manage("lifecycle", "hold", "zoo.Token:5", "--database", "second", "--reason", "dispute")
    assert list(Event.objects.using("second").values_list("kind", flat=True))
    assert "dispute" in manage("lifecycle", "holds")
    assert not Event.objects.using("default").filter(kind="hold_placed").exists()


def test_a_row_says_where_it_is(settings: Any) -> None:
    settings.LIFECYCLE_DATABASES = ["default", "second"]
    rows = [Token.objects.using(using).create(pk=5) for using in served()]
    hold(rows[1])
    assert Event.objects.using("second").filter(kind="hold_placed").exists()
    assert not Event.objects.using("default").filter(kind="hold_placed").exists()


def test_a_link_keeps_the_row_of_its_database(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.LIFECYCLE_DATABASES = ["default", "second"]
    sent: list[Any] = []
    monkeypatch.setattr(send, "patient", lambda: SimpleNamespace(send_messages=sent.extend))
    for using in served():
        seen = timezone.now() - 400 * timedelta(days=1)
        Guest.objects.using(using).create(pk=5, email=f"{using}@example.com", seen_at=seen)
    run_all()
    assert [mail.to for mail in sent] == [["default@example.com"], ["second@example.com"]]
    link = sent[1].body.split("https://site.example")[1].split()[0]
    assert "It stays." in Client().post(link).content.decode()
    kept = [Event.objects.using(using).filter(kind="restored").count() for using in served()]
    assert kept == [0, 1]
    assert all(Guest.objects.using(using).live().exists() for using in served())
