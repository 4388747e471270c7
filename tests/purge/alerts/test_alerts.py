"""Who is told of a trouble: once, by a signal and a mail, whatever else goes on."""

import logging
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from lifecycle import hold, release
from lifecycle.ledger import policy_states as states
from lifecycle.models import Event, PolicyState
from lifecycle.policy.registry import get_policy
from purge.alerts import watch as alerts
from purge.models import Alert
from purge.runner import run_due
from tests.purge.alerts.conftest import Mailbox
from tests.support import SetHours, let_pass, together
from tests.zoo.factories import UnparsablePreferenceFactory
from tests.zoo.models import Contract, Coupon, Draft, Ticket, Token

pytestmark = pytest.mark.django_db(transaction=True)
AGO = timedelta(minutes=5)
Told = list[tuple[str, dict[str, Any]]]


def watch() -> None:
    alerts.watch("default")


def drafts(count: int) -> list[Draft]:
    """Drafts that a contract protects, tombstoned and past their grace."""
    made = timezone.now() - timedelta(days=2)
    found = [Draft.objects.create(created_at=made) for _ in range(count)]
    Contract.objects.bulk_create([Contract(draft=draft) for draft in found])
    run_due()
    let_pass(timedelta(hours=2))
    run_due()
    return found


def due_tickets(monkeypatch: pytest.MonkeyPatch) -> None:
    """More tickets are due than the policy may end."""
    monkeypatch.setattr(get_policy("tickets"), "cap_rows", 5)
    monkeypatch.setattr(get_policy("tickets"), "cap_fraction", 0)
    Ticket.objects.bulk_create([Ticket(expires_at=timezone.now() - AGO) for _ in range(6)])


def open_alerts() -> list[tuple[str, str, str]]:
    return [*Alert.objects.exclude(kind="look").values_list("kind", "policy", "cause")]


def test_blocked_is_told_once_a_cause(mailbox: Mailbox, told: Told) -> None:
    first, *_ = drafts(3)
    watch()
    watch()
    assert [(name, one["policy"], one["count"]) for name, one in told] == [("blocked", "drafts", 3)]
    assert told[0][1]["sender"] is Draft
    (mail,) = mailbox.mails
    text = mail.get_content()
    assert str(mail["Subject"]) == "[Django] Retention policy drafts: rows cannot end"
    assert "ProtectedError zoo.Contract" in text
    assert "In the way: zoo.Contract:" in text
    let_pass(timedelta(minutes=2))
    run_due()  # tried again, and blocked again
    Contract.objects.create(draft=Draft.objects.create(created_at=first.created_at))
    let_pass(timedelta(minutes=2))
    watch()
    assert (len(mailbox.mails), len(told)) == (1, 1)


def test_blocked_is_over_when_nothing_was_blocked_for_a_while(
    mailbox: Mailbox, caplog: pytest.LogCaptureFixture
) -> None:
    drafts(1)
    watch()
    Contract.objects.all().delete()
    let_pass(timedelta(minutes=2))
    run_due()
    watch()
    assert len(open_alerts()) == 1
    let_pass(timedelta(minutes=11))
    caplog.clear()
    with caplog.at_level(logging.WARNING, "purge"):
        watch()
    assert open_alerts() == []
    assert [record.action for record in caplog.records] == ["goes_on"]  # type: ignore[attr-defined]
    drafts(1)
    watch()
    assert len(mailbox.mails) == 2


def test_failed_capture_is_told_once_until_the_policy_is_mended(
    mailbox: Mailbox, told: Told
) -> None:
    for _ in range(3):
        UnparsablePreferenceFactory()
        watch()
    assert [name for name, _ in told] == ["capture_failed"]
    assert told[0][1]["policy"] == "preferences"
    assert "SQLSTATE" in mailbox.mails[0].get_content()
    states.pause("preferences")
    let_pass(timedelta(hours=2))
    UnparsablePreferenceFactory()
    watch()
    assert len(mailbox.mails) == 1
    # `migrate` brings a new declaration; what fails under it is news.
    PolicyState.objects.filter(name="preferences").update(declared_at=timezone.now())
    watch()
    assert open_alerts() == []
    UnparsablePreferenceFactory()
    watch()
    assert len(mailbox.mails) == 2


def test_failed_capture_is_over_after_a_day(mailbox: Mailbox) -> None:
    UnparsablePreferenceFactory()
    watch()
    let_pass(timedelta(hours=25))
    watch()
    assert "capture_failed" not in {kind for kind, *_ in open_alerts()}
    UnparsablePreferenceFactory()
    watch()
    failed = [each for each in mailbox.subjects if "could not be computed" in each]
    assert len(failed) == 2


def test_capture_whose_keys_cannot_be_read(mailbox: Mailbox, told: Told) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT lifecycle.capture_failed_v1('', 'zoo.coupon', NULL, '42703')")
    watch()
    assert [(name, one["sender"], one["policy"]) for name, one in told] == [
        ("capture_failed", Coupon, "")
    ]
    assert mailbox.subjects == [
        "[Django] Retention of zoo.coupon: times that could not be computed"
    ]


def late(minutes: int = 11) -> None:
    """A token that nobody has ended."""
    Token.objects.create(expires_at=timezone.now() + timedelta(seconds=1))
    let_pass(timedelta(minutes=minutes))


def test_lag_is_told_once_until_it_is_over(mailbox: Mailbox, told: Told) -> None:
    late(9)
    watch()
    assert told == []
    let_pass(timedelta(minutes=2))
    watch()
    watch()
    assert [(name, one["policy"], one["count"]) for name, one in told] == [("lagging", "tokens", 1)]
    assert "due for 0:10:5" in mailbox.mails[0].get_content()
    run_due()
    let_pass(timedelta(minutes=5))
    watch()
    late(5)
    let_pass(timedelta(minutes=6))
    watch()  # it was away for less than ten minutes, as far as anybody saw
    assert len(mailbox.mails) == 1
    run_due()
    let_pass(timedelta(minutes=11))
    watch()
    late()
    watch()
    assert len(mailbox.mails) == 2


def test_lag_has_a_setting(told: Told, settings: Any) -> None:
    settings.LIFECYCLE_MAX_LAG = 60
    late(2)
    watch()
    assert [name for name, _ in told] == ["lagging"]


@pytest.mark.parametrize("stop", ["pause", "hold", "halt", "hours"])
def test_no_lag_of_what_may_not_act(stop: str, told: Told, set_hours: SetHours) -> None:
    if stop == "pause":
        states.pause("tokens")
    elif stop == "hold":
        hold("tokens")
    elif stop == "halt":
        PolicyState.objects.filter(name="tokens").update(state="halted")
    else:
        set_hours("tokens")
        Token.objects.create(expires_at=timezone.now() + timedelta(seconds=1))
        let_pass(timedelta(minutes=1))
        run_due()  # tombstoned, at any hour
    late()
    if stop == "hours":
        run_due()
        let_pass(timedelta(minutes=11))
        set_hours("tokens")
    watch()
    assert told == []
    if stop == "hours":
        return
    if stop == "hold":
        release("tokens")
    elif stop == "pause":
        states.resume("tokens")
    else:
        states.resume("tokens", actor="ada")
    watch()  # may act since a moment ago
    assert told == []


def test_late_tombstones_are_told_outside_the_hours(told: Told, set_hours: SetHours) -> None:
    set_hours("tokens")
    late()
    set_hours("tokens")
    watch()
    assert [name for name, _ in told] == ["lagging"]


def test_halt_is_told_each_time(
    mailbox: Mailbox, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    due_tickets(monkeypatch)
    for _ in range(2):
        run_due()
        watch()
        states.resume("tickets", actor="ada")
    run_due()
    assert [name for name, _ in told] == ["halted"] * 3
    assert mailbox.subjects == ["[Django] Retention policy tickets has halted"] * 3
    text = mailbox.mails[0].get_content()
    assert "more than 5 rows are due" in text
    assert "manage.py lifecycle resume tickets --actor NAME --allow ROWS" in text
    assert Ticket.objects.count() == 6


def test_who_was_killed_while_halting_is_told_of_by_another(
    mailbox: Mailbox, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    due_tickets(monkeypatch)
    with monkeypatch.context() as killed:
        killed.setattr(alerts, "notify", lambda using: None)
        run_due()
    assert (mailbox.mails, told) == ([], [])
    watch()
    assert (len(mailbox.mails), len(told)) == (1, 1)
    assert told[0][1]["events"] == [Event.objects.get(kind="halted").pk]


def test_four_that_watch_at_once_tell_once(mailbox: Mailbox, told: Told) -> None:
    drafts(2)
    late()
    together(*[watch] * 4)
    watch()  # one of them may have looked before the others' alerts were there
    found = sorted((name, one["policy"]) for name, one in told)
    assert found == [("blocked", "drafts"), ("lagging", "drafts"), ("lagging", "tokens")]
    assert len(mailbox.mails) == 3


def test_mail_waits_for_the_server(mailbox: Mailbox, told: Told) -> None:
    mailbox.stop()
    late()
    watch()
    assert [name for name, _ in told] == ["lagging"]
    UnparsablePreferenceFactory()
    watch()
    assert [name for name, _ in told] == ["lagging", "capture_failed"]
    assert {alert.tries for alert in Alert.objects.filter(sent_at=None)} == {0, 1}
    mailbox.start()
    watch()
    assert mailbox.mails == []  # not so soon
    let_pass(timedelta(minutes=2))
    watch()
    watch()
    assert (len(mailbox.mails), len(told)) == (2, 2)


def test_refused_mail_is_sent_less_and_less_often(mailbox: Mailbox) -> None:
    mailbox.refuses = True
    late()
    for _ in range(15):
        watch()
        let_pass(timedelta(minutes=1))
    assert 3 <= mailbox.refused <= 5
    mailbox.refuses = False
    let_pass(timedelta(hours=1))
    watch()
    assert len(mailbox.mails) == 1


def test_what_is_over_meanwhile_is_told_all_the_same(mailbox: Mailbox) -> None:
    mailbox.stop()
    late()
    watch()
    run_due()
    let_pass(timedelta(minutes=11))
    watch()
    mailbox.start()
    let_pass(timedelta(hours=1))
    watch()
    assert "This mail is late: it has gone on since" in mailbox.mails[0].get_content()
    watch()
    assert open_alerts() == []


def test_sender_that_was_killed_is_followed_by_another(mailbox: Mailbox) -> None:
    late()
    alerts.update_alerts("default")
    assert alerts._claim("default", sent_at=None)
    assert alerts._claim("default", sent_at=None) is None
    let_pass(timedelta(minutes=11))
    watch()
    assert len(mailbox.mails) == 1


def test_what_fails_here_stops_nobody(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(alerts, "update_alerts", lambda using: 1 / 0)
    watch()
    assert [record.action for record in caplog.records] == ["watch_failed"]  # type: ignore[attr-defined]


def test_command_watches_too(mailbox: Mailbox, capsys: pytest.CaptureFixture[str]) -> None:
    drafts(1)
    call_command("purge", dry_run=True)
    assert mailbox.mails == []
    call_command("purge")
    assert mailbox.subjects == ["[Django] Retention policy drafts: rows cannot end"]


def test_receiver_that_raises_stops_no_mail(mailbox: Mailbox) -> None:
    from lifecycle import signals

    def receive(**given: Any) -> None:
        raise RuntimeError

    signals.lagging.connect(receive)
    try:
        late()
        watch()
    finally:
        signals.lagging.disconnect(receive)
    assert "[Django] Retention policy tokens is behind" in mailbox.subjects
