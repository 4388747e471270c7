"""Signals to host code: after the commit, with readable events, and no receiver stops the work."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from lifecycle import restore, signals
from lifecycle.models import Event, PolicyState
from lifecycle.policy.registry import get_policy
from purge.passes.options import PassOptions
from purge.runner import run_policy
from tests.support import run_until_idle
from tests.zoo.models import Draft, Token

pytestmark = pytest.mark.django_db(transaction=True)

HOUR = timedelta(hours=1)
NAMES = ("tombstoned", "restored", "purged", "halted")


class Heard(list[tuple[str, dict[str, Any]]]):
    """What was sent, in order, with the keys of its events as a receiver reads them."""

    def of(self, name: str) -> list[dict[str, Any]]:
        return [told for sent, told in self if sent == name]


@pytest.fixture
def heard() -> Iterator[Heard]:
    told = Heard()
    receivers = {}

    def listen(name: str) -> Any:
        def receive(sender: Any, signal: Any, **given: Any) -> None:
            assert not connection.in_atomic_block
            keys = [key for pk in given["events"] for key in Event.objects.get(pk=pk).subjects]
            told.append((name, given | {"sender": sender, "keys": keys}))

        return receive

    for name in NAMES:
        receivers[name] = listen(name)
        getattr(signals, name).connect(receivers[name])
    yield told
    for name in NAMES:
        getattr(signals, name).disconnect(receivers[name])


def tokens(count: int) -> list[str]:
    past = timezone.now() - HOUR
    made = Token.objects.bulk_create([Token(expires_at=past) for _ in range(count)])
    return [str(row.pk) for row in made]


def test_tombstoned_and_purged(heard: Heard) -> None:
    keys = tokens(3)
    row = Draft.objects.create(created_at=timezone.now() - timedelta(days=2))
    run_until_idle()
    (tombstone,), (purged,) = heard.of("tombstoned"), heard.of("purged")
    assert (tombstone["sender"], tombstone["policy"], tombstone["count"]) == (Draft, "drafts", 1)
    assert tombstone["keys"] == [str(row.pk)]
    assert (purged["sender"], purged["policy"], purged["count"]) == (Token, "tokens", 3)
    assert purged["keys"] == keys


def test_restored_is_sent_after_the_commit(heard: Heard) -> None:
    row = Token.objects.create(expires_at=timezone.now() - HOUR)
    with transaction.atomic():
        restore(row, policy="tokens")
        assert not heard
    (told,) = heard.of("restored")
    assert (told["sender"], told["policy"], told["keys"]) == (Token, "tokens", [str(row.pk)])


def test_nothing_is_sent_after_a_rollback(heard: Heard) -> None:
    row = Token.objects.create(expires_at=timezone.now() - HOUR)
    with transaction.atomic():
        restore(row, policy="tokens")
        transaction.set_rollback(True)
    assert not heard


def test_halted(heard: Heard, caplog: pytest.LogCaptureFixture) -> None:
    Draft.objects.create(created_at=timezone.now() - timedelta(days=2))
    hour = timezone.now().strftime("%Y-%m-%dT%H")
    PolicyState.objects.filter(name="drafts").update(spent={hour: 10_000})
    run_until_idle()
    (told,) = heard.of("halted")
    assert (told["sender"], told["policy"], told["count"]) == (Draft, "drafts", 0)
    assert Event.objects.get(pk=told["events"][0]).cause == "cap"
    assert Draft.objects.live().count() == 0
    assert Draft.objects.exists()


def test_dry_run_sends_none(heard: Heard) -> None:
    tokens(2)
    Draft.objects.create(created_at=timezone.now() - timedelta(days=2))
    assert run_policy(get_policy("tokens"), PassOptions(dry=True)).purged == 2
    assert run_policy(get_policy("drafts"), PassOptions(dry=True)).tombstoned == 1
    assert not heard
    assert Token.objects.count() == 2


def test_receiver_that_raises_stops_nobody(heard: Heard, caplog: pytest.LogCaptureFixture) -> None:
    def broken(**given: Any) -> None:
        raise ValueError("a receiver of the host")

    for signal in (signals.purged, signals.restored):
        signal.connect(broken)
    try:
        restored = Token.objects.create(expires_at=timezone.now() + HOUR)
        restore(restored, policy="tokens")
        tokens(2)
        run_until_idle()
    finally:
        for signal in (signals.purged, signals.restored):
            signal.disconnect(broken)
    assert list(Token.objects.all()) == [restored]
    assert len(heard.of("purged")) == len(heard.of("restored")) == 1
    assert "a receiver of the host" in caplog.text
