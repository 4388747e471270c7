"""Who has which lock: no stranger stops a policy, and a pause always comes through."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from lifecycle import hold, release
from lifecycle.backfill import progress as backfill
from lifecycle.db import policy_lock
from lifecycle.db.connection import own_transaction
from lifecycle.exceptions import Busy
from lifecycle.ledger import policy_states as states
from lifecycle.models import PolicyState
from lifecycle.policy.registry import get_policy
from purge.batch import brakes
from purge.media import batch as media
from purge.runner import run_due, run_policy
from tests.infra.servers import ROOT
from tests.security.roles import Roles
from tests.support import Background, session, wait_until, waits_for
from tests.zoo.models import Knock, Ticket, Token, Trace

pytestmark = pytest.mark.django_db(transaction=True)

PAST = timezone.now() - timedelta(days=90)
#: every advisory lock that this package ever took
ADVISORY = "SELECT pg_advisory_lock(hashtextextended(%s, 0))"
NAMES = ("lifecycle:", "lifecycle:tickets", "lifecycle:tokens", "lifecycle:traces",
         "lifecycle:knocks", "lifecycle:archive:tokens")  # fmt: skip


def state(policy: str = "tickets") -> str:
    return PolicyState.objects.get(name=policy).state


@contextmanager
def advisory_locks(roles: Roles) -> Iterator[None]:
    """A stranger has all of them, those of the windows too."""
    with roles.session(roles.stranger) as stranger:
        for name in NAMES:
            stranger.execute(ADVISORY, [name])
        with connection.cursor() as cursor:
            cursor.execute("SELECT policy, extract(epoch FROM window_at) FROM lifecycle_agenda"
                           " WHERE window_at IS NOT NULL")  # fmt: skip
            for policy, window in cursor.fetchall():
                stranger.execute(ADVISORY, [f"lifecycle:{policy}:{window}"])
        yield


def test_a_stranger_with_every_advisory_lock_stops_nothing(roles: Roles) -> None:
    Ticket.objects.create(expires_at=PAST)
    kept = Ticket.objects.create(expires_at=timezone.now() + timedelta(days=1))
    for model, field in ((Token, "expires_at"), (Trace, "made_at"), (Knock, "until")):
        model.objects.create(**{field: PAST})
    with advisory_locks(roles):
        run_due()
        assert list(Ticket.objects.all()) == [kept]
        assert not Token.objects.exists()
        assert not Trace.objects.exists()
        with own_transaction("default"):
            assert media.begin("default", None, dry=True) is not None
        backfill.ask(get_policy("tickets"))
        assert backfill.step(get_policy("tickets"), hurried=True)
        began = time.monotonic()
        number = hold("tickets")
        release(number)
        states.pause("tickets")
        states.change_all(states.PAUSE)
        assert time.monotonic() - began < states.PATIENCE, "something was waited for"
    assert {each.state for each in PolicyState.objects.all()} == {"paused"}


def test_a_stranger_cannot_touch_the_locks_there_are(roles: Roles) -> None:
    for role in (roles.stranger, roles.site, roles.reader):
        with roles.session(role) as other:
            for text in (
                "SELECT FROM lifecycle_lock FOR SHARE",
                "BEGIN; LOCK TABLE lifecycle_lock IN ACCESS SHARE MODE",
                "SELECT lifecycle.share_lock_v1('tickets')",
                "SELECT lifecycle.take_lock_v1('tickets')",
                "SELECT lifecycle.try_lock_v1('tickets')",
            ):
                with pytest.raises(Exception, match="permission denied"):
                    other.execute(text)
                other.rollback()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(states, "PATIENCE", 0.3)


@contextmanager
def a_batch_under_way(policy: str = "tickets") -> Iterator[Any]:
    with session(application_name="slow worker") as other:
        other.execute("SELECT lifecycle.share_lock_v1(%s)", [policy])
        yield other
        other.rollback()


def test_a_pause_comes_through_while_a_batch_does_not_end(
    impatient: None, capsys: pytest.CaptureFixture[str]
) -> None:
    with a_batch_under_way() as other:
        call_command("lifecycle", "pause", "tickets")
        assert state() == "paused"
        text = capsys.readouterr().out
        assert "may still end" in text
        assert f"process {other.info.backend_pid} (slow worker" in text
    states.resume("tickets")
    call_command("lifecycle", "pause", "tickets")
    assert "may still end" not in capsys.readouterr().out


def test_a_pause_of_all_comes_through(impatient: None, capsys: pytest.CaptureFixture[str]) -> None:
    with a_batch_under_way(), a_batch_under_way("tokens"), a_batch_under_way(""):
        call_command("lifecycle", "pause", "--all")
    assert {each.state for each in PolicyState.objects.all()} == {"paused"}
    assert capsys.readouterr().out.count("may still end") == 3


@pytest.mark.slow
def test_a_pause_says_who_has_the_row_of_the_policy(impatient: None) -> None:
    with session(application_name="a psql") as other:
        other.execute("SELECT FROM lifecycle_policy WHERE name = 'tickets' FOR UPDATE")
        pid = other.info.backend_pid
        for act in (lambda: states.pause("tickets"), lambda: states.change_all(states.PAUSE)):
            with pytest.raises(Busy, match=rf"process {pid} \(a psql, user \w+\) since"):
                act()
        other.rollback()
    assert state() == "enabled"
    states.pause("tickets")
    assert state() == "paused"


def test_a_hold_is_not_placed_where_a_batch_does_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy_lock.take_lock, "__defaults__", (0.3,))
    with a_batch_under_way(), pytest.raises(Busy, match=r"process \d+ \(slow worker"):
        hold("tickets")
    assert hold("tickets")


def test_a_batch_does_not_pass_a_pause_that_waits() -> None:
    """Two workers whose batches overlap would else keep it waiting for ever."""
    Ticket.objects.create(expires_at=PAST)
    with a_batch_under_way() as other:
        pausing = Background(lambda: states.pause("tickets"))
        wait_until(lambda: waits_for(other.info.backend_pid), "the pause")
        assert not run_policy(get_policy("tickets")).purged
        other.rollback()
        pausing.result()
    assert state() == "paused"
    assert Ticket.objects.count() == 1


def test_two_batches_of_a_policy_share_its_lock() -> None:
    Ticket.objects.create(expires_at=PAST)
    with a_batch_under_way():
        assert run_policy(get_policy("tickets")).purged == 1


def test_workers_at_the_count_and_a_pause_do_not_deadlock() -> None:
    """The count against the cap updates a row that the pause wants too."""
    for _ in range(3):
        Ticket.objects.bulk_create([Ticket(expires_at=PAST) for _ in range(200)])
        start = threading.Barrier(3)

        def work() -> None:
            start.wait()  # noqa: B023
            run_policy(get_policy("tickets"))

        def pause() -> None:
            start.wait()  # noqa: B023
            states.pause("tickets")

        for each in [Background(work), Background(work), Background(pause)]:
            each.result()
        assert state() == "paused"
        states.resume("tickets")
    run_due()
    assert not Ticket.objects.exists()


def test_the_log_says_who_has_the_lock(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(brakes, "LOCKED_LONG", 0.0)
    monkeypatch.setattr(brakes, "_warned", {})
    Ticket.objects.create(expires_at=PAST)
    with session(application_name="a psql") as other:
        other.execute("SELECT lifecycle.take_lock_v1('tickets')")
        assert not run_policy(get_policy("tickets")).purged
        other.rollback()
    (line,) = [each for each in caplog.records if getattr(each, "action", "") == "lock_taken"]
    assert "(a psql, user " in line.getMessage()
    assert run_policy(get_policy("tickets")).purged == 1
    assert not brakes._locked


def test_no_statement_takes_an_advisory_lock() -> None:
    found = [
        str(path)
        for folder in ("lifecycle", "purge", "migrations")
        for path in (ROOT / folder).rglob("*.*")
        if path.suffix in (".py", ".sql") and "advisory_" in path.read_text()
    ]
    assert found == []
