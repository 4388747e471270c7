"""Rows are warned by mail before they end, and do not end before, whatever happens."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Event as Ended
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

import lifecycle
import purge
from lifecycle import Notice, Policy
from lifecycle.insight.overview import overview
from lifecycle.insight.status import statuses
from lifecycle.insight.why import why
from lifecycle.install import after_migrate as sync
from lifecycle.ledger import policy_states as states
from lifecycle.models import Event, RowException
from lifecycle.policy import registry
from lifecycle.policy.policy import OPTIONS
from lifecycle.policy.registry import get_policy
from lifecycle.promises import check as promises
from purge.models import NoticeMail
from purge.notices import backlog, record, send, wanted
from purge.notices.send import send_due
from purge.plans.apply import apply_plan
from purge.plans.carry_out import carry_out_all
from purge.plans.make import plan
from purge.runner import run_due
from purge.worker import notices as worker
from purge.worker.whole_pass import run_all
from tests.clock import pass_time
from tests.purge.notices.conftest import DAY, YEAR, Post, go_on, guest
from tests.support import session, together
from tests.zoo.models import Account, Guest

pytestmark = pytest.mark.django_db(transaction=True)


def said() -> list[dict[str, Any]]:
    return [event.detail for event in Event.objects.filter(kind="noticed").order_by("pk")]


def is_live() -> bool:
    return Guest.objects.live().exists()


def verdict(row: Guest) -> str:
    (found,) = why(Guest, str(row.pk)).verdicts
    return found.says


@pytest.mark.slow
def test_a_whole_life(post: Post) -> None:
    row = guest(YEAR - 31)
    go_on()
    assert post.mails == []
    assert "is warned of it from" in verdict(row)
    go_on(days=2)  # 29 days before its end: a day late
    assert post.to == ["jo@example.com"]
    assert "another mail is to come" in verdict(row)
    go_on(days=20)
    assert len(post.mails) == 1
    go_on(days=3)
    assert len(post.mails) == 2
    assert "was warned that it ends at" in verdict(row)
    assert [(each["mail"], each["of"]) for each in said()] == [(1, 2), (2, 2)]
    assert "example.com" not in str(said())
    go_on(days=6.5)
    assert is_live()
    assert not Event.objects.filter(kind="tombstoned").exists()
    go_on(days=0.6)  # 30 days after the first mail
    assert not is_live()
    assert "is tombstoned" in verdict(row)
    go_on(hours=2)
    assert not Guest.objects.exists()
    assert len(post.mails) == 2
    assert not NoticeMail.objects.exists()
    assert not RowException.objects.exists()
    broken = {name: found for name, found in promises.check().items() if found}
    assert not broken, broken


def test_what_is_found_late_has_the_whole_time(post: Post) -> None:
    row = guest(YEAR + 100)
    run_due()
    assert is_live()
    assert "waits for its notices" in verdict(row)
    go_on()
    assert len(post.mails) == 1
    go_on(days=22)
    assert len(post.mails) == 1
    go_on(days=2)
    assert len(post.mails) == 2
    go_on(days=6.5)
    assert is_live()
    go_on(days=1)
    assert not is_live()


def test_a_sign_in_has_it_warned_anew(post: Post) -> None:
    guest(YEAR - 5)
    go_on()
    Guest.objects.update(seen_at=timezone.now())
    go_on(days=31)
    assert said()[-1] == {"over": True}
    assert not RowException.objects.exists()
    assert (is_live(), len(post.mails)) == (True, 1)
    go_on(days=YEAR - 31 - 20)
    assert len(post.mails) == 2
    go_on(days=29)
    assert is_live()


@pytest.mark.slow
def test_nothing_ends_while_the_mail_server_is_down(post: Post, caplog: Any) -> None:
    post.stop()
    row = guest(YEAR - 1)
    go_on()
    assert {record.action for record in caplog.records} == {"notice_failed"}
    assert "jo@example.com" not in caplog.text
    for _ in range(4):
        go_on(days=10)
    assert is_live()
    assert "waits for its notices" in verdict(row)
    assert "1 rows past their end wait" in str(facts())
    assert any("notices: 1 has not gone" in each for each in problems())
    post.start()
    go_on(hours=1)
    assert len(post.mails) == 1
    go_on(days=24)
    assert (is_live(), len(post.mails)) == (True, 2)
    assert problems() == []
    go_on(days=8)
    assert not is_live()


def facts() -> list[str]:
    return [fact.says for fact in overview("default").facts if fact.part == "Notices"]


def problems() -> list[str]:
    return next(each.problems for each in statuses() if each.policy == "guests")


def test_who_is_killed_after_sending_sends_once_more(post: Post) -> None:
    guest(YEAR - 5)
    killed = patch.object(send, "note_sent", side_effect=SystemExit)
    silenced = patch.object(send, "put_off", side_effect=SystemExit)  # nothing more is written
    with killed, silenced, pytest.raises(SystemExit):
        send_due("default")
    assert len(post.mails) == 1
    assert not said()
    send_due("default")
    assert len(post.mails) == 1  # the lease is not over
    go_on(hours=1)
    go_on(hours=1)
    assert len(post.mails) == 2
    assert len(said()) == 1


@pytest.mark.slow
def test_what_went_and_cannot_be_recorded_goes_once(post: Post) -> None:
    guest(YEAR + 5)
    with patch.object(send, "write_of", side_effect=OperationalError):
        for _ in range(4):
            go_on(hours=2)
    assert len(post.mails) == 1
    assert is_live()
    go_on(hours=2)
    assert (len(post.mails), len(said())) == (1, 1)
    go_on(days=29)
    assert is_live()  # its time begins with what is recorded


def test_a_row_that_somebody_has_locked_holds_up_no_other(post: Post) -> None:
    rows = [guest(YEAR + 5, email=f"g{number}@example.com") for number in range(2)]
    whole = record.set_local
    with session() as other, patch.object(record, "set_local") as shorter:
        shorter.side_effect = lambda using, lock_timeout: whole(using, lock_timeout="10ms")
        other.execute("SELECT FROM zoo_guest WHERE id = %s FOR UPDATE", [rows[0].pk])
        send_due("default")
        other.rollback()
    assert (len(post.mails), len(said())) == (2, 1)
    go_on(hours=1)
    assert (len(post.mails), len(said())) == (2, 2)


def test_addresses_that_are_put_off_hold_up_few(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(send, "IN_A_ROW", 2)
    for number in range(4):
        guest(YEAR + 9 - number, email=f"g{number}@example.com")
    for number in range(3):
        post.answers[f"g{number}@example.com"] = "450 4.2.0 greylisted"
    send_due("default")
    assert post.mails == []  # two of them, one after the other: maybe it is the server
    send_due("default")
    assert post.to == ["g3@example.com"]
    post.answers.clear()
    go_on(hours=1)
    assert len(post.mails) == 4


def test_two_workers_send_one_mail_each(post: Post) -> None:
    rows = [guest(YEAR - 5, email=f"g{number}@example.com") for number in range(6)]
    together(*[lambda: send_due("default")] * 3)
    assert sorted(post.to) == sorted(row.email for row in rows)
    assert len(said()) == 6


@pytest.mark.parametrize(
    "address", ["", "jo", "jo@x.example\nBcc: all@x.example", "gone@x.example"]
)
def test_a_dead_address_is_waived_and_ends_no_sooner(post: Post, address: str) -> None:
    post.answers["gone@x.example"] = "550 5.1.1 no such user"
    guest(YEAR + 5, email=address)
    go_on()
    assert post.mails == []
    assert [each["waived"] for each in said()] == ["refused" if "gone" in address else "no address"]
    go_on(days=29)
    assert (is_live(), len(said())) == (True, 2)
    assert "1 were waived" in str(facts())
    go_on(days=8)
    assert not is_live()
    assert "1 were waived" not in str(facts())  # it was, eight days ago


@pytest.mark.slow
def test_a_server_that_refuses_the_sender_is_one_that_is_down(post: Post) -> None:
    post.answers["jo@example.com"] = "550 5.7.1 blocked"
    guest(YEAR + 5)
    for _ in range(8):
        go_on(days=3)
    assert not said()
    assert is_live()


@pytest.mark.slow
def test_a_refusal_without_a_reason_is_believed_the_fifth_time(post: Post) -> None:
    post.answers["jo@example.com"] = "553 sorry"
    guest(YEAR + 5)
    for _ in range(4):
        go_on(hours=2)
    assert not said()
    go_on(hours=2)
    assert [each["waived"] for each in said()] == ["refused"]


def test_a_refusal_that_cannot_be_recorded_is_no_mail_that_went(post: Post) -> None:
    post.answers["jo@example.com"] = "550 5.1.1 no such user"
    guest(YEAR + 5)
    with patch.object(send, "write_of", side_effect=OperationalError):
        go_on()
    assert not said()
    go_on(hours=2)
    assert [each["waived"] for each in said()] == ["refused"]
    assert post.mails == []


def test_what_went_to_an_address_that_has_gone_since_went(post: Post) -> None:
    guest(YEAR + 5)
    with patch.object(send, "write_of", side_effect=OperationalError):
        go_on()
    Guest.objects.update(email="")
    go_on(hours=2)
    assert (len(post.mails), ["waived" in each for each in said()]) == (1, [False])


def test_a_later_mail_is_tried_at_the_new_address(post: Post) -> None:
    guest(YEAR + 5, email="")
    go_on()
    Guest.objects.update(email="new@example.com")
    go_on(days=24)
    assert post.to == ["new@example.com"]


def test_no_more_than_so_many_in_an_hour(post: Post, settings: Any) -> None:
    settings.LIFECYCLE_NOTICES_PER_HOUR = 2
    for number in range(3):
        guest(YEAR + 5, email=f"g{number}@example.com")
    go_on()
    assert len(post.mails) == 2
    go_on(hours=0.5)
    assert len(post.mails) == 2
    go_on(hours=1)
    assert len(post.mails) == 3


def test_what_is_refused_counts_as_sent_and_what_has_no_address_does_not(
    post: Post, settings: Any
) -> None:
    settings.LIFECYCLE_NOTICES_PER_HOUR = 2
    for number in range(3):
        guest(YEAR + 5, email=f"g{number}@example.com")
        guest(YEAR + 5, email="")
        post.answers[f"g{number}@example.com"] = "550 5.1.1 no such user"
    send_due("default")
    assert [each["waived"] for each in said()].count("refused") == 2
    go_on(hours=1.1)
    assert sorted(each["waived"] for each in said()) == ["no address"] * 3 + ["refused"] * 3


def test_a_paused_policy_warns_nobody(post: Post) -> None:
    guest(YEAR + 5)
    states.pause("guests")
    go_on(days=10)
    assert post.mails == []
    states.resume("guests")
    go_on()
    assert len(post.mails) == 1
    go_on(days=29)
    assert is_live()


def test_a_pause_stops_the_mails_that_are_on_their_way(post: Post) -> None:
    """Who sees that the wrong people are written to stops it with the policy's own brake."""
    for number in range(3):
        guest(YEAR + 5, email=f"g{number}@example.com")
    whole = send.patient

    def paused() -> Any:
        states.pause("guests")
        return whole()

    with patch.object(send, "patient", paused):
        send_due("default")
    assert len(post.mails) == 1
    states.resume("guests")
    go_on()
    assert len(post.mails) == 3


def test_a_policy_whose_rows_cannot_be_read_stops_no_other(
    post: Post, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    before = send.warning_policies
    broken = SimpleNamespace(name="broken")
    monkeypatch.setattr(send, "warning_policies", lambda using: [broken, *before(using)])
    guest(YEAR + 5)
    send_due("default")
    assert len(post.mails) == 1
    assert [(r.action, r.policy) for r in caplog.records] == [("notices_failed", "broken")]


def test_a_backend_that_sends_nothing_has_sent_nothing(post: Post) -> None:
    guest(YEAR + 5)
    silent = SimpleNamespace(send_messages=lambda messages: 0)
    with patch.object(send, "patient", lambda: silent):
        send_due("default")
    assert (said(), NoticeMail.objects.get().error) == ([], "NotSent")


def test_rows_that_wait_for_a_day_and_nobody_is_written_to_are_a_problem(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it is: no worker that sends, a statement that fails, a timeout."""
    monkeypatch.setattr(backlog, "TRIED", 2)
    guest(YEAR + 5)

    def is_told() -> bool:
        return any("rows past their end wait for theirs: 1" in each for each in problems())

    for _ in range(2):
        assert not is_told()
        run_due()
        pass_time(hours=1)
    assert is_told()
    states.pause("guests")
    assert not is_told()
    states.resume("guests")
    go_on()
    assert not is_told()


def test_addresses_that_are_refused_in_masses_are_a_problem(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A relay that knows nobody, a `to` that names nothing: their time runs, unread."""
    monkeypatch.setattr(backlog, "MANY", 2)
    guest(YEAR + 5)
    go_on()
    for number in range(2):
        guest(YEAR + 5, email="", name=f"g{number}")
        assert not any("waived" in each for each in problems())
        go_on()
    (problem,) = problems()
    assert "2 of 3" in problem
    go_on(days=1.1)
    assert problems() == []


def test_who_is_held_or_kept_is_warned_after_that(post: Post) -> None:
    held, kept = guest(YEAR + 5), guest(YEAR + 5, wanted=True, email="kept@example.com")
    number = lifecycle.hold(held)
    go_on()
    assert post.mails == []
    lifecycle.release(number)
    Guest.objects.filter(pk=kept.pk).update(wanted=False)
    go_on(days=1)
    assert sorted(post.to) == ["jo@example.com", "kept@example.com"]
    go_on(days=29)
    assert Guest.objects.live().count() == 2


def test_what_people_end_by_name_needs_no_mail(post: Post) -> None:
    by_hand, planned, stays = (guest(YEAR - n) for n in (40, 41, 42))
    lifecycle.expire_now(by_hand)
    made = plan(
        "purge", Guest.objects.filter(pk=planned.pk), actor="jo", reason="r", policy="guests"
    )
    apply_plan(made.pk, confirm=1, actor="jo")
    carry_out_all("default")
    go_on(hours=2)
    go_on(hours=2)
    assert list(Guest.objects.all()) == [stays]
    assert post.mails == []


def test_an_override_shortens_no_time(post: Post) -> None:
    guest(YEAR - 2)
    later = guest(YEAR - 40)
    purge.run("guests", actor="jo", within=100 * DAY, grace=timedelta(0))
    go_on()
    purge.run("guests", actor="jo", within=100 * DAY, grace=timedelta(0))
    assert Guest.objects.live().count() == 2
    go_on(days=24)
    go_on(days=7)
    # Past its end and told: only the grace goes.
    purge.run("guests", actor="jo", grace=timedelta(0))
    assert list(Guest.objects.all()) == [later]


def test_an_older_ledger_warns_again(post: Post) -> None:
    """As after a restore of a backup: nobody knows of the mails that went since."""
    guest(YEAR + 5)
    go_on()
    RowException.objects.filter(kind="noticed").delete()
    go_on(days=31)
    assert is_live()
    assert len(post.mails) == 2


def test_a_rebuilt_ledger_knows_what_went(post: Post) -> None:
    guest(YEAR + 5)
    go_on()
    go_on(days=24)
    before = list(RowException.objects.values_list("kind", "key", "since", "until", "event_id"))
    with promises.connections["default"].cursor() as cursor:
        cursor.execute("SELECT lifecycle.rebuild_v1()")
    assert before == list(
        RowException.objects.values_list("kind", "key", "since", "until", "event_id")
    )
    assert before[0][3] is not None


def test_a_row_written_anew_under_the_key_is_warned_anew(post: Post) -> None:
    key = guest(YEAR + 5).pk
    go_on()
    row = Guest.objects.get()
    row.delete()
    assert not RowException.objects.exists()
    Guest.objects.create(pk=key, email="other@example.com", seen_at=row.seen_at)
    go_on()
    assert post.to == ["jo@example.com", "other@example.com"]


def test_what_moves_between_mail_and_record_counts_not(post: Post) -> None:
    """Signed in while the mail was on its way."""
    guest(YEAR + 5)
    whole = record.lock_row

    def signed_in(*given: Any) -> bool:
        Guest.objects.update(seen_at=timezone.now())
        return whole(*given)

    with patch.object(send, "lock_row", signed_in):
        send_due("default")
    assert [each.get("over") for each in said()] == [True]
    assert not RowException.objects.exists()
    go_on(days=31)
    assert is_live()


def test_by_type(post: Post) -> None:
    guest(YEAR + 5, plan="trial"), guest(YEAR - 50, plan="paid", email="paid@example.com")
    guest(YEAR - 50, plan="other", email="other@example.com")  # as the longest
    go_on()
    assert sorted(post.to) == ["other@example.com", "paid@example.com"]
    assert Guest.objects.live().count() == 2  # the trial is past its end
    go_on(days=59)
    assert Guest.objects.live().count() == 2
    go_on(days=2)
    assert Guest.objects.live().count() == 0


def test_of_a_type_that_is_warned_no_more(post: Post) -> None:
    """What a mail has named stays true, for the site's queries as for the worker."""
    guest(YEAR + 5), guest(YEAR + 5, plan="paid", email="paid@example.com")
    go_on()
    Guest.objects.update(plan="trial")
    for days, live in ((29, 2), (2, 1), (28, 1), (2, 0)):
        go_on(days=days)
        ended = sum(event.count for event in Event.objects.filter(kind="tombstoned"))
        assert (Guest.objects.live().count(), ended) == (live, 2 - live)


def test_mails_that_are_fewer_by_now(post: Post) -> None:
    """One went of two; of the new plan there is one, so that one is sent and the row can end."""
    guest(YEAR - 20)
    go_on()
    Guest.objects.update(plan="paid")
    go_on()
    assert len(post.mails) == 2
    go_on(days=59)
    assert is_live()
    go_on(days=2)
    assert not is_live()


def test_a_whole_pass_sends_them(post: Post) -> None:
    guest(YEAR + 5)
    run_all()
    assert len(post.mails) == 1


def test_an_error_of_the_site_stops_no_other(post: Post, caplog: Any) -> None:
    guest(YEAR + 5, email="bad@example.com")
    guest(YEAR + 5, email="good@example.com")
    whole = send.recipient

    def of(policy: Any, row: Guest) -> str:
        if row.email.startswith("bad"):
            raise ValueError(row.email)
        return whole(policy, row)

    with patch.object(send, "recipient", of):
        go_on()
    assert post.to == ["good@example.com"]
    assert "bad@example.com" not in caplog.text
    assert NoticeMail.objects.get().error == "ValueError"


def test_a_tombstone_from_before_the_policy_warned_anybody(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row is live again, is warned, and has its whole grace after that."""
    policy = get_policy("guests")
    guest(YEAR + 5)
    with monkeypatch.context() as before:
        before.setattr(policy, "notice", None)
        run_due()
    assert Event.objects.filter(kind="tombstoned").count() == 1
    assert is_live()
    go_on(hours=2)
    assert len(post.mails) == 1
    go_on(days=24)
    go_on(days=8)
    assert Event.objects.filter(kind="tombstoned").count() == 2
    assert Guest.objects.exists()
    go_on(hours=2)
    assert not Guest.objects.exists()


@pytest.mark.slow
def test_no_more_are_warned_in_a_day_than_may_end_in_it(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mistake in a declaration does not write to everybody; nor does it halt what is warned."""
    monkeypatch.setattr(get_policy("guests"), "cap_rows", 2)
    monkeypatch.setattr(get_policy("guests"), "cap_fraction", 0.0)
    for number in range(3):
        guest(YEAR + 5, email=f"g{number}@example.com")
    for hours, mails in ((0, 2), (12, 2), (13, 3)):
        go_on(hours=hours)
        assert len(post.mails) == mails
    for days, mails, live in ((22, 5, 3), (1, 6, 3), (6.1, 6, 1), (1.1, 6, 0)):
        go_on(days=days)
        assert (len(post.mails), Guest.objects.live().count()) == (mails, live)
        assert problems() == []


def test_workers_that_look_at_once_warn_no_more_than_one_does(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second one has read how many may be warned before the first has written them down."""
    policy, whole = get_policy("guests"), wanted.room
    monkeypatch.setattr(policy, "cap_rows", 1)
    monkeypatch.setattr(policy, "cap_fraction", 0.0)
    wanted.note(policy, "default")  # the lock is made; who makes it at the same time waits
    for number in range(3):
        guest(YEAR + 5, email=f"g{number}@example.com")

    def beside(policy: Policy, using: str) -> int:
        found = whole(policy, using)
        with patch.object(wanted, "room", whole):
            together(lambda: wanted.note(policy, using))
        return found

    with patch.object(wanted, "room", beside):
        wanted.note(policy, "default")
    assert NoticeMail.objects.count() == 1


def test_mails_of_a_policy_that_warns_nobody_any_more_go(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    post.stop()
    guest(YEAR + 5)
    go_on()
    assert NoticeMail.objects.exists()
    monkeypatch.setattr(get_policy("guests"), "notice", None)
    send.send_found("default")
    assert NoticeMail.objects.exists(), "who sends takes none away"
    send_due("default")
    assert not NoticeMail.objects.exists()
    monkeypatch.undo()


def test_a_worker_that_ends_begins_no_mail(post: Post) -> None:
    over = Ended()
    over.set()
    guest(YEAR + 5)
    send.find_wanted("default")
    assert send.send_found("default", over=over) == 0
    assert send_due("default", deadline=time.monotonic()) == 0
    assert send_due("default") == 1


class Hours:
    """The end of a worker's process, after so many hours of which nobody waits for one."""

    def __init__(self, hours: int) -> None:
        self.now, self.end = 0.0, hours * 3600.0

    def wait(self, seconds: float) -> bool:
        self.now += seconds
        return self.now > self.end


@pytest.mark.parametrize(("took", "most"), [(0.1, 600), (90, 20)])
def test_a_look_at_many_rows_comes_less_often(
    took: float, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mails that it has found go all the same, once a minute."""
    over, looks, sent = Hours(hours=10), list[float](), list[float]()

    def look(using: str) -> None:
        looks.append(over.now)
        over.now += took

    monkeypatch.setattr(worker, "time", SimpleNamespace(monotonic=lambda: over.now))
    monkeypatch.setattr(worker, "find_wanted", look)
    monkeypatch.setattr(worker, "send_found", lambda using, over: sent.append(over.now))
    worker._run("default", over)  # type: ignore[arg-type]
    assert most - 2 <= len(looks) <= most
    assert len(sent) > 500


class Idle(Hours):
    """The same, at a server or behind a firewall that ends a connection which is idle meanwhile."""

    def is_set(self) -> bool:
        return False

    def wait(self, seconds: float) -> bool:
        if connection.connection is not None:
            with session(autocommit=True) as other:
                pid = connection.connection.info.backend_pid
                other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
        return super().wait(seconds)


@pytest.mark.slow
def test_a_connection_that_ends_while_it_is_idle_keeps_no_mail_from_being_found(
    post: Post, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    guest(YEAR + 5)
    over = Idle(hours=1)
    monkeypatch.setattr(worker, "time", SimpleNamespace(monotonic=lambda: over.now))
    send.send_found("default")  # so that it has a connection
    worker._run("default", over)  # type: ignore[arg-type]
    assert len(post.mails) == 1
    assert [each.action for each in caplog.records].count("notices_failed") <= 1


def test_between_mails_a_row_is_not_looked_at_again(post: Post) -> None:
    guest(YEAR + 5)
    go_on()
    before = Event.objects.filter(kind="settled").count()
    for _ in range(5):
        go_on(days=1)
    assert Event.objects.filter(kind="settled").count() <= before + 1


@contextmanager
def warned(name: str, notice: Notice) -> Iterator[Policy]:
    """The site as it is after a policy of the zoo was declared with a notice, and `migrate`."""
    before = get_policy(name)
    values = {option: getattr(before, option) for option in OPTIONS} | {"notice": notice}
    registry._policies[name] = Policy(name, before.model, **values)
    try:
        sync.store(registry._policies[name], "default")
        yield registry._policies[name]
    finally:
        registry._policies[name] = before
        sync.store(before, "default")


def test_what_is_only_emptied_is_warned_of_each_time(post: Post) -> None:
    notice = Notice(10 * DAY, to="email")
    with warned("accounts", notice):
        seen = timezone.now() - 40 * DAY
        Account.objects.create(email="jo@example.com", seen_at=seen)
        go_on()
        assert len(post.mails) == 1
        assert "emptied on" in str(post.mails[0]["Subject"])
        go_on(days=9)
        assert Account.objects.get().active
        go_on(days=2)
        assert not Account.objects.get().active
        assert said()[-1] == {"over": True}
        Account.objects.update(active=True, email="jo@example.com")
        go_on(days=1)
        assert Account.objects.get().active  # past its end as before, and warned anew
        assert len(post.mails) == 2
        purge.run("accounts", actor="jo", within=100 * DAY)
        assert Account.objects.get().active
        go_on(days=11)
        purge.run("accounts", actor="jo", within=100 * DAY)
        assert not Account.objects.get().active


def test_a_notice_is_another_declaration(post: Post) -> None:
    """A worker with the code of before ends nothing of what the database has with a notice."""
    Account.objects.create(email="jo@example.com", seen_at=timezone.now() - 40 * DAY)
    old = get_policy("accounts")
    with warned("accounts", Notice(10 * DAY, to="email")):
        registry._policies["accounts"] = old
        run_due()
        assert Account.objects.get().active
