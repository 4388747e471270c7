"""The short question of a beat: nothing that the whole question finds is noticed later."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.db import connection
from django.utils import timezone

from lifecycle import expire_now, hold, release, restore
from lifecycle.ledger import policy_states as states
from lifecycle.models import AgendaEntry, PolicyState
from lifecycle.policy.registry import get_policy
from purge.batch.outcome import MEDIA
from purge.passes import due
from purge.runner import run_due
from purge.worker import memory, pulse
from tests.purge.worker.emptied import queue
from tests.support import SetHours, database_now, let_pass
from tests.zoo.models import Draft, Person, Token, Trace

__all__ = ["queue"]
pytestmark = pytest.mark.django_db(transaction=True)

HOUR, DAY, JUST = timedelta(hours=1), timedelta(days=1), timedelta(seconds=3)


def tick() -> list[str]:
    """A beat as the pulse has it; and no policy is woken twice for the sake of the last one."""
    memory.of("default").sent.clear()
    return pulse.tick("default", database_now() - pulse.LOOK_BACK)


def in_short() -> bool:
    """Whether a beat goes by the short question alone."""
    with mock.patch.object(pulse, "ready_policies", wraps=pulse.ready_policies) as whole:
        tick()
    return not whole.called


def token(ago: timedelta, **values: Any) -> Token:
    return Token.objects.create(expires_at=timezone.now() - ago, **values)


def later() -> None:
    token(-HOUR)
    tick()
    let_pass(HOUR + JUST)


def by_hand() -> None:
    row = token(-DAY)
    tick()
    expire_now(row, policy="tokens")


def on_request() -> None:
    row = Person.objects.create()
    tick()
    expire_now(row)


def until_a_date() -> None:
    row = token(timedelta(seconds=5))
    restore(row, until=timezone.now() + HOUR)
    tick()
    let_pass(HOUR + JUST)


def after_a_grace() -> None:
    Draft.objects.create(created_at=timezone.now() - 2 * DAY)


def window() -> None:
    Trace.objects.create(made_at=timezone.now() - 90 * DAY)


def media() -> None:
    AgendaEntry.objects.create(event_id=-1, policy=MEDIA, due_at=timezone.now(), count=1)


def stopped(stop: Callable[[], Any], start: Callable[[], Any]) -> None:
    """Falls due long before the policy may act again."""
    stop()
    tick()
    token(JUST)
    let_pass(HOUR + JUST)
    assert tick() == []
    assert in_short()
    start()


def held_until_a_date() -> None:
    until = timezone.now() + 2 * HOUR
    stopped(lambda: hold("tokens", until=until), lambda: let_pass(HOUR))


DUE: dict[Callable[[], Any], str] = {
    lambda: token(JUST): "tokens",
    later: "tokens",
    by_hand: "tokens",
    on_request: "people",
    until_a_date: "tokens",
    window: "traces",
    media: MEDIA,
    lambda: stopped(lambda: states.pause("tokens"), lambda: states.resume("tokens")): "tokens",
    lambda: stopped(lambda: hold("tokens"), lambda: release("tokens")): "tokens",
    held_until_a_date: "tokens",
    after_a_grace: "drafts",
}


def empty() -> None:
    AgendaEntry.objects.filter(event_id=-1).delete()
    run_due()


@pytest.mark.slow
def test_each_kind_of_thing_is_noticed_by_the_next_beat() -> None:
    for becomes_due, name in DUE.items():
        empty()
        tick()
        assert in_short(), "nothing is due"
        becomes_due()
        assert name in tick(), becomes_due
        whole = [each.policy for each in due.ready_policies() if each.due]
        assert name in whole, becomes_due
    empty()


def test_other_declaration_and_hours(set_hours: SetHours) -> None:
    """Also where entries are older than a beat looks back."""
    tick()
    token(JUST)
    PolicyState.objects.filter(name="tokens").update(fingerprint="of others")
    tick()
    let_pass(HOUR + JUST)
    assert tick() == []
    PolicyState.objects.filter(name="tokens").update(fingerprint=_own("tokens"))
    assert tick() == ["tokens"]
    set_hours("tokens")
    assert tick() == []
    set_hours("tokens", is_open=True)
    assert tick() == ["tokens"]


def _own(name: str) -> str:
    from lifecycle.compiler.fingerprint import fingerprint

    return fingerprint(get_policy(name))


def test_heartbeat_asks_the_whole_question() -> None:
    tick()
    with mock.patch.object(pulse, "ready_policies", wraps=pulse.ready_policies) as whole:
        pulse.tick("default", heartbeat=True)
    assert whole.called


@pytest.mark.parametrize(
    "change",
    [
        "COMMENT ON SCHEMA lifecycle IS 'version 999'",
        "DROP FUNCTION lifecycle.beat_v1(timestamptz, text)",
    ],
)
def test_database_of_another_version_is_asked_as_before(change: str) -> None:
    token(JUST)
    tick()
    with connection.cursor() as cursor:
        cursor.execute(change)
    try:
        assert due.beat("default", timezone.now()) is None
        assert tick() == ([] if "COMMENT" in change else ["tokens"])
    finally:
        from lifecycle.install.functions import make_functions

        make_functions("default")
    assert due.beat("default", timezone.now()) is not None
    assert tick() == ["tokens"]
