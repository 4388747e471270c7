"""Each check beside violations of its promise: it finds them, and no other check does."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

import lifecycle
from lifecycle.ledger import policy_states as states
from lifecycle.models import AgendaEntry, Event, RowException
from lifecycle.policy.registry import get_policy
from lifecycle.promises import check as promises
from lifecycle.promises import gone
from lifecycle.testing import capture_off
from purge.runner import run_due
from tests.clock import pass_time
from tests.zoo.models import Account, Draft, Line, Member, Order, Ticket, Token, Upload

pytestmark = pytest.mark.django_db(transaction=True)

HOUR = timedelta(hours=1)


def broken(**options: Any) -> dict[int, list[promises.Violation]]:
    """The violations by the number of their promise."""
    found = promises.check(**options)
    return {int(name.split("_")[1]): those for name, those in found.items() if those}


def run(text: str, *params: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(text, params)


def write(kind: str, policy: str, key: Any, model: str = "zoo.token", **detail: Any) -> None:
    """An event that nothing has caused."""
    run(
        "SELECT lifecycle.write_v1(%s, %s, %s, lifecycle.one_v1('bigint', %s), 1, NULL, NULL, NULL,"
        " %s::jsonb, NULL)", kind, policy, model, str(key), json.dumps(detail),
    )  # fmt: skip


@contextmanager
def without_triggers(table: str) -> Iterator[None]:
    run("SELECT lifecycle.move_pending_v1()")  # the guards of one table are not the other's
    run(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    yield
    run(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def wrongly_purge(row: Any, policy: str, **detail: Any) -> None:
    """What a worker with a bug would do, past the DELETE trigger's own look at holds."""
    said = {"kind": "purged", "policy": policy, "model": row._meta.label_lower, "detail": detail}
    with transaction.atomic():
        run("UPDATE lifecycle_exception SET kind = 'unseen' WHERE kind = 'hold'")
        run("SELECT lifecycle.announce_v1(%s::jsonb)", json.dumps(said))
        row.delete()
        run("UPDATE lifecycle_exception SET kind = 'hold' WHERE kind = 'unseen'")


def token(hours: float = -1, **fields: Any) -> Token:
    return Token.objects.create(expires_at=timezone.now() + hours * HOUR, **fields)


def draft() -> Draft:
    return Draft.objects.create(created_at=timezone.now() - timedelta(days=2))


def test_a_clean_story_breaks_nothing() -> None:
    token()
    draft()
    run_due()
    pass_time(hours=2)
    run_due()
    assert (Token.objects.count(), Draft.objects.count()) == (0, 0)
    assert broken() == {}
    call_command("lifecycle", "verify")


# 1: not before its time


@pytest.mark.plants(1)
def test_purged_before_its_end() -> None:
    wrongly_purge(token(hours=1), "tokens")
    assert list(broken()) == [1]


@pytest.mark.plants(1)
def test_purged_without_its_tombstone() -> None:
    wrongly_purge(draft(), "drafts")
    assert list(broken()) == [1]


@pytest.mark.plants(1)
def test_purged_before_its_grace_is_over() -> None:
    row = draft()
    run_due()
    wrongly_purge(row, "drafts")
    (violation,) = broken()[1]
    assert violation.event == Event.objects.get(kind="purged").pk
    assert "which its tombstone promised" in violation.problem


@pytest.mark.plants(1)
def test_purged_by_a_tombstone_from_before_a_change() -> None:
    row = draft()
    run_due()
    pass_time(minutes=90)
    Draft.objects.update(status="other")
    Draft.objects.update(status="draft")
    wrongly_purge(row, "drafts")
    assert list(broken()) == [1]


@pytest.mark.plants(1)
def test_purged_although_restored() -> None:
    row = token()
    lifecycle.restore(row, policy="tokens")
    wrongly_purge(row, "tokens")
    assert list(broken()) == [1]


@pytest.mark.plants(1)
def test_purged_without_a_word_of_its_end() -> None:
    with without_triggers("zoo_token"):
        row = token(hours=1)
    wrongly_purge(row, "tokens")
    assert list(broken()) == [1]


def test_a_named_person_may_skip_the_grace() -> None:
    row = draft()
    with lifecycle.context(actor="ann"):
        wrongly_purge(row, "drafts", grace_skipped=True)
    assert broken() == {}


def test_a_row_that_went_along_is_asked_nothing() -> None:
    order = Order.objects.create(expires_at=timezone.now() - HOUR, grace=timedelta(0))
    Line.objects.create(order=order)
    run_due()
    assert Line.objects.count() == 0
    assert broken() == {}


# 2: one ending event a life


@pytest.mark.plants(2)
def test_purged_twice() -> None:
    row = token()
    key = row.pk
    run_due()
    write("purged", "tokens", key)
    assert list(broken()) == [2]


@pytest.mark.plants(2)
def test_gone_by_the_ledger_and_still_there() -> None:
    row = token()
    run_due()
    with without_triggers("zoo_token"):
        Token.objects.create(pk=row.pk, expires_at=timezone.now() + HOUR)
    assert list(broken()) == [2]


@pytest.mark.plants(2)
def test_updated_twice() -> None:
    row = Account.objects.create(seen_at=timezone.now() - timedelta(days=40))
    run_due()
    assert broken() == {}
    write("updated", "accounts", row.pk, "zoo.account")
    assert list(broken()) == [2]


def test_an_old_key_is_another_life() -> None:
    for _ in range(3):
        Token.objects.create(pk=7, expires_at=timezone.now() - HOUR)
        run_due()
    Token.objects.create(pk=7, expires_at=timezone.now() + HOUR)
    assert Event.objects.filter(kind="purged").count() == 3
    assert broken() == {}


# 3: nothing under a hold


@pytest.mark.plants(3)
def test_purged_under_a_hold() -> None:
    row = token()
    lifecycle.hold(row, reason="court")
    wrongly_purge(row, "tokens")
    assert list(broken()) == [3]


@pytest.mark.plants(3)
def test_purged_under_a_hold_of_its_policy() -> None:
    row = token()
    lifecycle.hold("tokens")
    wrongly_purge(row, "tokens")
    assert list(broken()) == [3]


@pytest.mark.plants(3)
def test_gone_along_with_another_row_under_a_hold() -> None:
    row = token(hours=5)
    lifecycle.hold(row)
    wrongly_purge(row, "orders", cause="cascade")
    assert list(broken()) == [3]


@pytest.mark.plants(3)
def test_updated_under_a_hold() -> None:
    row = Account.objects.create(seen_at=timezone.now() - timedelta(days=40))
    lifecycle.hold(row)
    write("updated", "accounts", row.pk, "zoo.account")
    assert list(broken()) == [3]


def test_holds_that_are_over_count_no_more() -> None:
    lapsed, released = token(), token()
    lifecycle.hold(lapsed, until=timezone.now() + HOUR)
    lifecycle.hold(released)
    lifecycle.release(released)
    pass_time(hours=2)
    run_due()
    assert Token.objects.count() == 0
    assert broken() == {}


# 4: no file of a live row


def purged_file(name: str, field: str = "file", model: str = "zoo.upload") -> None:
    """What a media step with a bug would write."""
    told = json.dumps({"field": field, "names": [name]})
    run(
        "SELECT lifecycle.write_v1('media_purged', '', %s, NULL, 1, NULL, NULL, NULL, %s::jsonb,"
        " NULL)", model, told,
    )  # fmt: skip


@pytest.mark.plants(4)
def test_a_file_that_a_live_row_names() -> None:
    row = Upload.objects.create(file="shared.txt")
    purged_file("shared.txt", "cover", "zoo.song")  # by another model of the same storage
    (violation,) = broken()[4]
    assert violation.event == Event.objects.get(kind="media_purged").pk
    assert violation.subject == f"zoo.upload:{row.pk}"


def test_a_name_that_came_into_use_again_is_no_violation() -> None:
    purged_file("again.txt")
    Upload.objects.create(file="again.txt")
    assert broken() == {}


@pytest.mark.plants(4)
def test_an_orphan_that_was_forgotten() -> None:
    Upload.objects.create(file="a.txt").delete()
    pass_time(hours=2.5)  # its grace is two hours
    assert broken() == {}
    pass_time(hours=1)
    (violation,) = broken()[4]
    assert violation.event == Event.objects.get(kind="media_orphaned").pk


def test_an_orphan_that_waits_while_all_is_paused() -> None:
    Upload.objects.create(file="a.txt").delete()
    pass_time(hours=4)
    states.change_all(states.PAUSE, actor="ann")
    assert broken() == {}


# 6: the projections are the fold


@pytest.mark.plants(6)
@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM lifecycle_agenda",
        "UPDATE lifecycle_agenda SET due_at = due_at + interval '1 hour'",
        "DELETE FROM lifecycle_exception",
        "UPDATE lifecycle_exception SET key = '99'",
        "UPDATE lifecycle_policy SET state = 'observe' WHERE name = 'tokens'",
    ],
)
def test_a_projection_that_somebody_has_changed(change: str) -> None:
    row = token(hours=3)
    lifecycle.hold(row)
    run("SELECT lifecycle.move_pending_v1()")
    run(change)
    assert list(broken()) == [6]


def test_the_check_leaves_the_projections_alone() -> None:
    lifecycle.hold(token(hours=3))
    before = [*AgendaEntry.objects.values()], [*RowException.objects.values()]
    assert broken() == {}
    assert before == ([*AgendaEntry.objects.values()], [*RowException.objects.values()])


# 7: the ledger only grows


@pytest.mark.plants(7)
@pytest.mark.parametrize("table", ["lifecycle_event", "lifecycle_pending"])
def test_a_guard_that_is_off(table: str) -> None:
    with transaction.atomic():
        run(f"ALTER TABLE {table} DISABLE TRIGGER {table}_guard_rows")
        assert list(broken()) == [7]
        transaction.set_rollback(True)


@pytest.mark.plants(7)
def test_an_event_that_was_deleted() -> None:
    token()
    run_due()
    with without_triggers("lifecycle_event"):
        Event.objects.filter(kind="expiry_scheduled").delete()
    run("ALTER TABLE lifecycle_event DISABLE TRIGGER lifecycle_event_guard_truncate")
    assert list(broken()) == [7]


@pytest.mark.plants(7)
def test_an_event_that_was_dated_back() -> None:
    row = token(hours=3)
    Token.objects.filter(pk=row.pk).update(expires_at=timezone.now() + 5 * HOUR)
    with without_triggers("lifecycle_event"):
        last = Event.objects.latest("pk")
        Event.objects.filter(pk=last.pk).update(recorded_at=last.recorded_at - HOUR)
    run("ALTER TABLE lifecycle_event DISABLE TRIGGER lifecycle_event_guard_truncate")
    assert list(broken()) == [7]


# 9: no more than the cap


@pytest.mark.plants(9)
def test_more_than_the_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        token()
        run_due()
    monkeypatch.setattr(get_policy("tokens"), "cap_rows", 2)
    assert list(broken()) == [9]


def test_days_are_counted_each_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        token()
        run_due()
        pass_time(hours=25)
    monkeypatch.setattr(get_policy("tokens"), "cap_rows", 2)
    assert broken() == {}


def test_a_named_person_may_allow_more(monkeypatch: pytest.MonkeyPatch) -> None:
    states.pause("tokens")
    states.resume("tokens", actor="ann", allow=1)
    for _ in range(3):
        token()
        run_due()
    monkeypatch.setattr(get_policy("tokens"), "cap_rows", 2)
    assert broken() == {}


# 10: no field values


@pytest.mark.plants(10)
@pytest.mark.parametrize(
    ("kind", "detail"),
    [
        ("deleted", {"email": "ann@example.org"}),
        ("blocked", {"error": "Key (email)=(ann@example.org) is still referenced"}),
        ("blocked", {"by": ["ann@example.org"]}),
        ("deleted", {"reason": "ann@example.org"}),
        ("noticed", {"over": True, "waived": "ann@example.org"}),
        ("archive_erased", {"replaces": "ann@example.org"}),
        ("archive_erased", {"lost": ["ann@example.org"]}),
        ("archive_lost", {"archive": "ann@example.org"}),
    ],
)
def test_a_value_in_the_ledger(kind: str, detail: dict[str, Any]) -> None:
    write(kind, "tokens", 5, **detail)
    found = broken()
    assert list(found) == [10]
    assert "ann@" not in str(found)


# 11: nothing forgotten


@pytest.mark.plants(11)
def test_due_for_too_long() -> None:
    token(hours=1)
    pass_time(hours=3)
    assert list(broken()) == [11]
    assert broken(stated=timedelta(hours=5)) == {}


@pytest.mark.plants(11)
def test_past_its_end_and_on_no_agenda() -> None:
    with without_triggers("zoo_token"):
        row = token(hours=-2)
    assert [each.subject for each in broken()[11]] == [f"zoo.token:{row.pk}"]


def test_a_policy_that_is_stopped_forgets_nothing() -> None:
    token(hours=1)
    states.pause("tokens")
    pass_time(hours=3)
    assert broken() == {}
    states.resume("tokens")
    assert broken() == {}
    lifecycle.hold("tokens")
    pass_time(hours=3)
    assert broken() == {}


@pytest.mark.plants(3)
def test_verify_says_what_is_broken(capsys: pytest.CaptureFixture[str]) -> None:
    row = token()
    lifecycle.hold(row)
    wrongly_purge(row, "tokens")
    with pytest.raises(CommandError) as error:
        call_command("lifecycle", "verify")
    assert error.value.returncode == 1
    printed = capsys.readouterr().out
    assert " 3 nothing held: 1 violations" in printed
    assert f"zoo.token:{Event.objects.get(kind='purged').subjects[0]}: purged under" in printed
    assert " 1 not before its time: kept" in printed


# 12: what ended stays ended


@pytest.mark.plants(2, 12)
def test_a_row_that_came_back() -> None:
    row = Member.objects.create(status="live")
    key, joined = row.pk, row.joined_at
    row.delete()
    with without_triggers("zoo_member"):
        Member.objects.create(pk=key, status="live")
        Member.objects.update(joined_at=joined)
    (violation,) = broken()[12]
    assert violation.subject == f"zoo.member:{Member.objects.get().pk}"
    lifecycle.hold(Member.objects.get())
    assert 12 not in broken()
    lifecycle.release(Member.objects.get())
    assert 12 in broken()
    lifecycle.loaded(Member.objects.get())
    assert broken() == {}


def test_a_newer_row_under_an_old_key_is_another() -> None:
    row = Member.objects.create(pk=5, status="live")
    row.delete()
    Member.objects.create(pk=5, status="live")
    assert broken() == {}


# 13: what was purged is gone


def purged_and_there(deep: bool) -> promises.Violation:
    found = broken(deep=deep)
    assert list(found) == [13]
    return found[13][0]


@pytest.mark.plants(13)
@pytest.mark.parametrize("deep", [False, True])
def test_a_row_that_was_never_deleted(deep: bool) -> None:
    """Without an end and without an identity: no other promise asks for it."""
    stays, others = Token.objects.create(), [token() for _ in range(3)]
    run_due()
    write("purged", "tokens", stays.pk, cause="replay")
    found = purged_and_there(deep)
    event = Event.objects.latest("id").pk
    assert found[:2] == (event, f"zoo.token:{stays.pk}")
    assert "never deleted" in found.problem
    with capture_off():
        Token.objects.filter(pk__in=[row.pk for row in others]).delete()
        Token.objects.filter(pk=stays.pk).delete()
    assert broken(deep=deep) == {}
    Token.objects.create(pk=stays.pk)  # another life, of which no event tells
    assert broken(deep=deep) == {}


@pytest.mark.plants(2, 12, 13)
def test_a_purged_row_that_came_back_as_it_was() -> None:
    row = Ticket.objects.create(expires_at=timezone.now() - HOUR)
    run_due()
    with capture_off():
        Ticket.objects.create(pk=row.pk, expires_at=row.expires_at)
    (violation,) = broken()[13]
    assert "as it was" in violation.problem
    lifecycle.hold(Ticket.objects.get())
    assert 13 not in broken()
    lifecycle.release(Ticket.objects.get())
    with capture_off():
        Ticket.objects.update(expires_at=None)
    assert broken() == {}, "another row, for all that its identity tells"


@pytest.mark.plants(13)
def test_a_ledger_that_was_copied_says_nothing_by_its_transactions() -> None:
    stays = Token.objects.create()
    write("purged", "tokens", stays.pk, cause="replay")
    assert list(broken()) == [13]
    pass_time(hours=1)  # writes the ledger anew, in one transaction
    assert broken() == {}


@pytest.mark.plants(13)
def test_deep_reads_every_set_and_a_sample_some(monkeypatch: pytest.MonkeyPatch) -> None:
    stays = [Token.objects.create() for _ in range(25)]
    for row in stays:
        write("purged", "tokens", row.pk, cause="replay")
    monkeypatch.setattr(gone, "ROWS", 10)
    monkeypatch.setattr(gone, "SAMPLED", 5)
    assert len(broken(deep=True)[13]) == 25
    assert len(broken()[13]) == 5
    monkeypatch.setattr(gone, "SAMPLED", 100)
    monkeypatch.setattr(gone, "PAGES", 0)
    assert len(broken()[13]) == 25
    monkeypatch.setattr(gone, "LATEST", 1)
    (violation,) = broken()[13]
    assert violation.event == Event.objects.latest("id").pk


@pytest.mark.plants(13)
def test_verify_of_one_promise(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("lifecycle", "verify", "--promise", "13", "--deep")
    assert capsys.readouterr().out == "13 what was purged is gone: kept\n"
    write("purged", "tokens", Token.objects.create().pk, cause="replay")
    call_command("lifecycle", "verify", "--promise", "3")
    with pytest.raises(CommandError, match="1 violations"):
        call_command("lifecycle", "verify", "--promise", "13")
    with pytest.raises(CommandError, match="invalid choice: 8"):
        call_command("lifecycle", "verify", "--promise", "8")
