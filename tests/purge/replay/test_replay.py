"""The command, its brakes, and what happens around a replay."""

import json
import os
import signal
import subprocess
import sys
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

import lifecycle
from lifecycle.embedded.location import binaries, place
from lifecycle.models import Event
from lifecycle.policy.registry import get_policy
from lifecycle.testing import capture_off, run_until
from purge.models import Run, Total
from purge.replay.model import Replay
from purge.replay.plan import carry_out, forget, plan
from tests.commands.documented import assert_documented
from tests.infra.servers import ROOT
from tests.lifecycle.management.test_commands import fails, manage
from tests.purge.replay.dumps import dump, load
from tests.purge.worker.consumer import address
from tests.support import ENDINGS, endings, run_until_idle, session, wait_until
from tests.zoo.models import Contract, Draft, Line, Member, Order, Ticket, Token, Visit

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.plants(2, 11)]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
REPLAY = ("purge", "--replay", "--actor", "ann")


def past() -> Any:
    return timezone.now() - 2 * HOUR


def members(count: int = 3) -> None:
    Member.objects.bulk_create(Member(expires_at=past()) for _ in range(count))


def came_back(folder: Path, count: int = 3, triggers: bool = False) -> None:
    """Members that were purged and are there again."""
    members(count)
    path = dump("zoo_member", folder)
    run_until(timezone.now() + 2 * HOUR)
    assert not Member.objects.exists()
    load(path, triggers)


def replayed() -> int:
    """The rows of replays in the ledger."""
    told = Event.objects.filter(cause="replay", kind__in=ENDINGS)
    return sum(told.values_list("count", flat=True))


def settle(**options: Any) -> Any:
    how = Replay(actor="ann", **options)
    plan(how)
    return carry_out(how)


@pytest.mark.slow
def test_command_shows_the_plan_and_ends_rows_again(tmp_path: Path) -> None:
    came_back(tmp_path)
    text = manage(*REPLAY, "--yes")
    assert "ended again" in text
    assert "members (purged)" in text
    assert not Member.objects.exists()
    (event,) = Event.objects.filter(cause="replay")
    assert (event.actor, event.count, event.policy) == ("ann", 3, "members")
    run = Run.objects.get(origin="replay")
    assert (run.purged, run.actor, event.run, bool(run.finished_at)) == (3, "ann", run.pk, True)
    first_and_again = {"members": 3 + 3}
    assert dict(Total.objects.values_list("policy", "purged")) == first_and_again
    before = Event.objects.count()
    manage(*REPLAY)  # nothing to end: nothing to ask
    assert Event.objects.count() == before


@pytest.mark.slow
def test_dry_run_changes_nothing(tmp_path: Path) -> None:
    came_back(tmp_path)
    before = Event.objects.count()
    report = json.loads(manage(*REPLAY, "--dry-run", "--json"))
    assert_documented("purge --replay", report)
    assert (Event.objects.count(), Member.objects.count()) == (before, 3)
    assert report["endings"][0] == {
        "model": "zoo.member", "kind": "purged", "policy": "members", "ended": 3, "gone": 0,
        "newer": 0, "held": 0, "blocked": 0, "unsure": 0,
    }  # fmt: skip
    assert not Run.objects.filter(origin="replay").exists()
    settle()


def test_nobody_to_ask_is_refused(tmp_path: Path) -> None:
    came_back(tmp_path)
    assert "say --yes" in fails(*REPLAY)
    assert Member.objects.count() == 3
    assert not Run.objects.filter(origin="replay").exists()
    settle()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "answer"),
    [
        (("--since", "yesterday"), "'yesterday' is no time"),
        (("--since", "2026-13-01"), "is no time"),
        (("--since", "2999-01-01"), "in the future"),
        (("--policy", "membres"), "Did you mean 'members'"),
        (("--allow", "-1"), "cannot be less than none"),
        (("--limit", "5"), "cannot be combined"),
        (("--database", "nowhere"), "nowhere"),
    ],
)
def test_bad_input_changes_nothing(options: tuple[str, ...], answer: str, tmp_path: Path) -> None:
    came_back(tmp_path)
    before = Event.objects.count()
    assert answer in fails(*REPLAY, "--yes", *options)
    assert (Event.objects.count(), Member.objects.count()) == (before, 3)
    settle()


@pytest.mark.parametrize("option", ["--since=2026-01-01", "--allow=3", "--yes"])
def test_options_of_a_replay_need_it(option: str) -> None:
    assert "needs --replay" in fails("purge", option)


@pytest.mark.slow
def test_more_than_the_cap_needs_a_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    came_back(tmp_path)
    monkeypatch.setattr(get_policy("members"), "cap_rows", 2)
    monkeypatch.setattr(get_policy("members"), "cap_fraction", 0.0)
    said = fails(*REPLAY, "--yes")
    assert "would end 3 rows of zoo.member by members, the cap is 2" in said
    assert fails(*REPLAY, "--yes", "--allow", "2")
    assert Member.objects.count() == 3
    assert replayed() == 0
    manage(*REPLAY, "--yes", "--allow", "3")
    assert not Member.objects.exists()
    monkeypatch.undo()  # the first purge was under the cap as it was declared


@pytest.mark.slow
def test_unsure_rows_are_named_and_fail_the_command() -> None:
    token = Token.objects.create(expires_at=timezone.now() + HOUR)
    Token.objects.all().delete()
    with capture_off():
        token.save(force_insert=True)
    said = fails(*REPLAY)
    assert f"unsure zoo.Token:{token.pk}" in said
    assert "1 unsure" in said
    lifecycle.loaded(Token.objects.all())
    manage(*REPLAY)
    assert Token.objects.exists()


@pytest.mark.slow
def test_only_one_policy_and_only_since(tmp_path: Path) -> None:
    came_back(tmp_path)
    ticket = Ticket.objects.create(pk=uuid.uuid4(), expires_at=timezone.now() + HOUR)
    Ticket.objects.all().delete()
    with capture_off():
        ticket.save(force_insert=True)
    report = settle(policy="tickets")
    assert report.total("ended") == 0  # the site's own delete is no ending of the policy
    later = Event.objects.filter(kind="purged").latest("id").recorded_at + timedelta(seconds=0.001)
    assert settle(since=later).total("ended") == 1
    assert settle(policy="members").total("ended") == 3
    settle()
    assert (Ticket.objects.count(), Member.objects.count()) == (0, 0)


def test_what_goes_along_goes_along_again(tmp_path: Path) -> None:
    member = Member.objects.create(expires_at=past())
    Visit.objects.create(member=member)
    paths = [dump(table, tmp_path) for table in ("zoo_member", "zoo_visit")]
    run_until(timezone.now() + 2 * HOUR)
    for path in paths:
        load(path, triggers=False)
    settle()
    assert (Member.objects.count(), Visit.objects.count()) == (0, 0)
    told = Event.objects.filter(cause__in=("replay", "cascade"), kind="purged").order_by("id")
    assert [(e.model, e.cause) for e in told] == [
        ("zoo.visit", "cascade"), ("zoo.visit", "cascade"), ("zoo.member", "replay"),
    ]  # fmt: skip
    assert settle().total("ended") == 0


def test_what_went_along_alone_is_ended_again(tmp_path: Path) -> None:
    member = Member.objects.create(status="live")
    Visit.objects.create(member=member)
    path = dump("zoo_visit", tmp_path)
    member.visit_set.all().delete()
    load(path, triggers=False)
    assert settle().total("ended") == 1
    (event,) = Event.objects.filter(cause="replay")
    assert (event.kind, event.policy, event.model) == ("deleted", "", "zoo.visit")


def test_a_host_delete_with_children_is_repeated(tmp_path: Path) -> None:
    member = Member.objects.create(status="live")
    Visit.objects.create(member=member)
    paths = [dump(table, tmp_path) for table in ("zoo_member", "zoo_visit")]
    member.delete()
    for path in paths:
        load(path, triggers=False)
    settle()
    assert (Member.objects.count(), Visit.objects.count()) == (0, 0)


@pytest.mark.slow
def test_a_held_row_below_keeps_its_parent(tmp_path: Path) -> None:
    member = Member.objects.create(expires_at=past())
    visit = Visit.objects.create(member=member)
    paths = [dump(table, tmp_path) for table in ("zoo_member", "zoo_visit")]
    run_until(timezone.now() + 2 * HOUR)
    for path in paths:
        load(path, triggers=False)
    number = lifecycle.hold(visit)
    report = settle()
    assert (report.total("ended"), report.total("held")) == (0, 2)
    lifecycle.release(number)
    settle()
    assert not Member.objects.exists()


@pytest.mark.slow
def test_a_protected_row_is_blocked_and_the_others_go(tmp_path: Path) -> None:
    """Without an identity, but expired before it ended and not written since."""
    rows = [Draft.objects.create(created_at=past() - 48 * HOUR) for _ in range(5)]
    path = dump("zoo_draft", tmp_path)
    run_until(timezone.now() + 2 * HOUR)
    load(path, triggers=False)
    Contract.objects.create(draft=rows[2])
    looked, tried = Replay(), Replay(dry=True)
    assert plan(looked).total("ended") == 5
    assert (tried_all := plan(tried)).total("ended") == 4
    assert tried_all.total("blocked") == 1
    forget(looked)
    forget(tried)
    assert Draft.objects.count() == 5
    report = settle()
    assert (report.total("ended"), report.total("blocked")) == (4, 1)
    (left,) = report.rows
    assert left.name == f"zoo.Draft:{rows[2].pk}"
    assert "ProtectedError" in left.why
    Contract.objects.all().delete()
    assert settle().total("ended") == 1


@pytest.mark.slow
def test_a_locked_row_is_left_and_said(tmp_path: Path) -> None:
    came_back(tmp_path)
    first = Member.objects.earliest("pk").pk
    with session() as other:
        other.execute("SELECT FROM zoo_member WHERE id = %s FOR UPDATE", [first])
        report = settle()
        assert (report.total("ended"), report.total("blocked")) == (2, 1)
        assert "locked" in report.rows[0].why
    assert settle().total("ended") == 1


@pytest.mark.slow
def test_a_row_that_is_replaced_between_plan_and_deed_stays(tmp_path: Path) -> None:
    came_back(tmp_path, 2)
    first = Member.objects.earliest("pk").pk
    how = Replay()
    assert plan(how).total("ended") == 2
    Member.objects.filter(pk=first).delete()
    Member.objects.create(pk=first)
    report = carry_out(how)
    assert (report.total("ended"), report.total("unsure")) == (1, 1)
    assert Member.objects.get().pk == first
    assert settle().total("newer") == 1


def test_a_row_that_is_restored_between_plan_and_deed_stays(tmp_path: Path) -> None:
    came_back(tmp_path, 2)
    how = Replay()
    plan(how)
    lifecycle.restore(Member.objects.earliest("pk"))
    report = carry_out(how)
    assert (report.total("ended"), report.total("newer")) == (1, 1)


def test_an_earlier_life_under_the_same_key_is_known(tmp_path: Path) -> None:
    """A, then B under the same key, both ended: A is back, although B's ending is the last."""
    Member.objects.create(pk=7, expires_at=past())
    path = dump("zoo_member", tmp_path)
    Member.objects.all().delete()
    Member.objects.create(pk=7)
    Member.objects.all().delete()
    load(path, triggers=False)
    assert settle().total("ended") == 1


@pytest.mark.slow
def test_many_rows_of_shared_and_own_sets(tmp_path: Path) -> None:
    """Several batches; ranges, lists, and sets that an earlier event holds."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO zoo_member (email, status, joined_at, expires_at)"
            " SELECT '', 'draft', now() - i * interval '1 s', %s + i %% 3 * interval '1 s'"
            " FROM generate_series(1, 2500) AS i",
            [past()],
        )
    path = dump("zoo_member", tmp_path)
    run_until(timezone.now() + 2 * HOUR)
    load(path, triggers=False)
    Member.objects.filter(pk__in=Member.objects.order_by("pk").values("pk")[100:110]).update(
        joined_at=timezone.now()
    )
    report = settle()
    assert (report.total("ended"), report.total("newer")) == (2490, 10)
    assert set(endings().values()) == {1, 2}
    assert settle().total("ended") == 0


@pytest.mark.slow
def test_the_worker_may_run_meanwhile(tmp_path: Path) -> None:
    came_back(tmp_path, 30, triggers=True)
    how = Replay()
    plan(how)
    run_until_idle()  # tombstones them, for they came back past their end
    assert carry_out(how).total("ended") == 30
    run_until_idle()
    assert set(endings().values()) == {2}


@pytest.mark.slow
def test_a_killed_replay_is_finished_by_the_next(tmp_path: Path) -> None:
    came_back(tmp_path, 1500)
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION zoo_slowly() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN PERFORM pg_sleep(0.001); RETURN OLD; END $$;"
            "CREATE TRIGGER slowly BEFORE DELETE ON zoo_member FOR EACH ROW"
            " EXECUTE FUNCTION zoo_slowly()"
        )
    try:
        command = [sys.executable, "manage.py", "purge", "--replay", "--yes"]
        known = {"DJANGO_SETTINGS_MODULE": "tests.settings", "DATABASE_URL": address()}
        process = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | known, stdout=subprocess.DEVNULL
        )
        try:
            wait_until(lambda: Member.objects.count() < 1500, "a first batch", 60)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
        left = Member.objects.count()
        assert 0 < left < 1500
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP FUNCTION zoo_slowly CASCADE")
    wait_until(lambda: settle().total("ended") or not Member.objects.exists(), "its rollback")
    assert not Member.objects.exists()
    assert replayed() == 1500
    assert set(endings().values()) == {2}
    assert settle().total("ended") == 0


@pytest.mark.slow
@pytest.mark.skipif(not settings.EMBEDDED_DATABASE, reason="needs the embedded server's tools")
def test_rows_out_of_pg_dump(tmp_path: Path) -> None:
    """The real tool, its own order of things, with and without triggers."""
    members(5)
    Order.objects.create(expires_at=past(), grace=timedelta(0))
    Line.objects.create(order=Order.objects.get())
    file = tmp_path / "data.sql"
    options = ["--data-only", "--disable-triggers", "-t", "zoo_member", "-t", "zoo_order"]
    url, tools = address(), binaries(place(settings.EMBEDDED_DATABASE))
    subprocess.run([tools / "pg_dump", *options, "-f", file, url], check=True)
    run_until(timezone.now() + 2 * HOUR)
    subprocess.run([tools / "psql", "-q", "-v", "ON_ERROR_STOP=1", "-f", file, url], check=True)
    assert (Member.objects.count(), Order.objects.count()) == (5, 1)
    settle()
    assert (Member.objects.count(), Order.objects.count()) == (0, 0)


def test_forgotten_plan_leaves_nothing(tmp_path: Path) -> None:
    came_back(tmp_path)
    how = Replay()
    plan(how)
    forget(how)
    assert not Run.objects.filter(origin="replay").exists()
    settle()


def test_interactive_no(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    came_back(tmp_path)
    monkeypatch.setattr("purge.management.replay.agreed", lambda *given: False)
    with pytest.raises(CommandError, match="Nothing was changed"):
        call_command(*REPLAY)
    assert Member.objects.count() == 3
    settle()


@pytest.mark.parametrize("ending", ["deleted by the site", "purged"])
def test_a_row_written_again_under_its_uuid_stays(ending: str) -> None:
    """An undo, a synchronisation or an import: the key is the same, the life is a new one."""
    key = uuid.uuid4()
    Ticket.objects.create(pk=key, expires_at=timezone.now() + HOUR)
    if ending == "purged":
        run_until(timezone.now() + 2 * HOUR)
    else:
        Ticket.objects.all().delete()
    Ticket.objects.create(pk=key, expires_at=timezone.now() + 9 * DAY)
    report = settle()
    assert (report.total("ended"), report.total("unsure")) == (0, 1)
    assert Ticket.objects.count() == 1
