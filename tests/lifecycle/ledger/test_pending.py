"""The pending list: what one row's write has to say, until a worker moves it to its place."""

from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from lifecycle import context
from lifecycle.backfill.progress import ask, step
from lifecycle.insight.life import life
from lifecycle.ledger import segments
from lifecycle.ledger.pending import move_pending
from lifecycle.models import AgendaEntry, Event, RowException
from lifecycle.policy.registry import get_policy
from purge.alerts.watch import watch
from purge.models import Alert
from purge.passes.due import due_policies, due_rows
from purge.runner import run_due, run_policy
from purge.worker import heartbeat, jobs, pulse
from tests.clock import pass_time
from tests.purge.recovery.restores import backups
from tests.support import Background, renamed, session, together, wait_until, waits_for
from tests.zoo.models import Coupon, Token

pytestmark = pytest.mark.django_db(transaction=True)

LATER = timedelta(days=30)
MOVE = "SELECT lifecycle.move_pending_v1(p_wait => {wait})"


def sql(text: str, *params: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(text, params or None)
        return cursor.fetchall() if cursor.description else []


def token(due: timedelta = LATER) -> Token:
    return Token.objects.create(expires_at=timezone.now() + due)


def pending() -> int:
    return int(sql("SELECT count(*) FROM lifecycle_pending")[0][0])


def proper() -> tuple[int, int]:
    """Events and entries that are where they belong."""
    return (
        sql("SELECT count(*) FROM ONLY lifecycle_event WHERE kind = 'expiry_scheduled'")[0][0],
        sql("SELECT count(*) FROM ONLY lifecycle_agenda")[0][0],
    )


def told() -> list[Any]:
    """All that ledger, agenda and exceptions say."""
    tables = (Event, AgendaEntry, RowException)
    return [list(model.objects.order_by("pk").values()) for model in tables]


def insert(other: psycopg.Connection[Any], due: str = "now() + interval '30 days'") -> None:
    other.execute(f"INSERT INTO zoo_token (label, active, expires_at) VALUES ('', true, {due})")


def test_one_row_is_pending_and_reads_as_if_it_were_not() -> None:
    with context(actor="ann", cause="import"):
        row = token()
    assert (pending(), proper()) == (1, (0, 0))
    event, entry = Event.objects.get(kind="expiry_scheduled"), AgendaEntry.objects.get()
    assert (event.pk, event.subjects, event.actor) == (entry.pk, [str(row.pk)], "ann")
    assert (entry.policy, entry.due_at, entry.count) == ("tokens", event.due_at, 1)
    before = told()
    assert move_pending("default") == 1
    assert (pending(), proper()) == (0, (1, 1))
    assert told() == before
    assert move_pending("default") == 0


def test_what_ends_soon_and_what_is_many_goes_where_it_belongs_at_once() -> None:
    token(timedelta(minutes=119))
    token(timedelta(hours=-1))
    Token.objects.bulk_create(Token(expires_at=timezone.now() + LATER) for _ in range(3))
    assert (pending(), proper()) == (0, (3, 3))
    token(timedelta(minutes=121))
    assert pending() == 1


def test_a_later_end_is_pending_too() -> None:
    row = token()
    row.expires_at += LATER
    row.save()
    row.delete()
    assert pending() == 2
    assert AgendaEntry.objects.count() == 2
    assert Event.objects.latest("pk").kind == "deleted"


def test_heartbeat_and_pass_move_it() -> None:
    token()
    heartbeat.heartbeat.call_local()
    assert (pending(), AgendaEntry.objects.count()) == (0, 1)
    token()
    call_command("purge", verbosity=0)
    assert (pending(), AgendaEntry.objects.count()) == (0, 2)


def test_a_batch_moves_what_is_due_where_nobody_has() -> None:
    rows = [token(), token(2 * LATER)]
    pass_time(days=31)
    assert due_policies("default") == ["tokens"], "what the heartbeat asks"
    assert run_policy(get_policy("tokens")).purged == 1
    assert [row.pk for row in Token.objects.all()] == [rows[1].pk]
    assert pending() == 1


def test_what_has_just_fallen_due_is_found_where_nobody_has_moved_it() -> None:
    """Two hours after it was written, as it may be pending for no less."""
    token(timedelta(minutes=121))
    assert pending() == 1
    pass_time(minutes=122)
    assert due_rows("tokens") == 1
    assert due_policies("default") == ["tokens"]
    assert run_policy(get_policy("tokens")).purged == 1


def test_a_dry_run_moves_nothing() -> None:
    token()
    before = told()
    call_command("purge", "--dry-run", verbosity=0)
    assert (pending(), told()) == (1, before)


def test_where_many_are_written_the_pulse_has_them_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("purge.worker.memory.MANY", 10)
    monkeypatch.setattr("purge.worker.memory._memories", {})
    monkeypatch.setattr("purge.worker.jobs.pending_task", jobs.pending_task.call_local)
    soon = timezone.now() - timedelta(minutes=2)
    pulse.tick("default", soon)
    singly(9)
    pulse.tick("default", soon)
    assert pending() == 9
    singly(1)
    pulse.tick("default", soon)
    assert pending() == 0


def test_a_worker_moves_many_in_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """What else is in the queue comes between."""
    woken: list[str] = []
    monkeypatch.setattr("lifecycle.ledger.pending.MOST", 10)
    monkeypatch.setattr("purge.worker.memory._memories", {})
    monkeypatch.setattr("purge.worker.jobs.pending_task", woken.append)
    singly(25)
    for left, asked in ((15, 1), (5, 2), (0, 2)):
        with monkeypatch.context() as patch:
            patch.setattr("purge.worker.jobs.SLICE", 1e-6)
            jobs.move_slice("default")
        assert (pending(), len(woken)) == (left, asked)


def singly(rows: int) -> None:
    """So many rows, each by a statement of its own."""
    sql(
        f"DO $$ BEGIN FOR i IN 1 .. {rows} LOOP"
        " INSERT INTO zoo_token (label, active, expires_at)"
        " VALUES ('', true, now() + interval '30 days'); END LOOP; END $$"
    )


def rows_read() -> int:
    """Rows of the list that statements have read until now."""
    sql("SELECT pg_stat_force_next_flush()")
    (found,) = sql(
        "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_user_tables"
        " WHERE relname = 'lifecycle_pending'"
    )[0]
    return int(found)


def test_many_are_moved_without_reading_the_others_each_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("lifecycle.ledger.pending.MOST", 100)
    singly(2_000)
    before = rows_read()
    assert move_pending("default") == 2_000
    assert rows_read() - before < 2_000 * 12


def test_a_pass_and_alerts_do_not_read_the_list() -> None:
    singly(1_000)
    soon = token(timedelta(minutes=1))
    pass_time(hours=1)
    before = rows_read()
    watch("default")
    assert "tokens" in due_policies("default")
    assert run_policy(get_policy("tokens")).purged == 1
    assert not Token.objects.filter(pk=soon.pk).exists()
    # What the ledger says of other kinds is asked for in both tables, once, not for each policy.
    assert rows_read() - before < 20_000


def test_alerts_and_counts_find_what_is_pending_and_late() -> None:
    token()
    pass_time(days=31)
    assert due_rows("tokens") == 1
    watch("default")
    (alert,) = Alert.objects.filter(kind=Alert.Kind.LAGGING)
    assert (alert.policy, alert.count) == ("tokens", 1)


# Writers and movers side by side


def test_a_late_committer_is_moved_once_it_has_committed() -> None:
    with session() as late:
        insert(late)
        token()
        assert move_pending("default") == 1, "the other one nobody sees"
        token()
        late.commit()
    assert AgendaEntry.objects.count() == 3
    assert move_pending("default") == 2
    numbers = list(Event.objects.filter(kind="expiry_scheduled").values_list("pk", flat=True))
    assert len({*numbers}) == 3
    assert {*numbers} == {*AgendaEntry.objects.values_list("pk", flat=True)}


def test_a_savepoint_that_is_rolled_back_leaves_nothing() -> None:
    with transaction.atomic():
        token()
        with transaction.atomic():
            token()
            transaction.set_rollback(True)
        token()
    assert (pending(), AgendaEntry.objects.count()) == (2, 2)
    assert move_pending("default") == 2
    assert proper() == (2, 2)


def test_under_repeatable_read_writers_commit_and_readers_see_each_once() -> None:
    token()
    with session() as other:
        other.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        asked = "SELECT (SELECT count(*) FROM lifecycle_agenda), count(*) FROM lifecycle_event"
        before = other.execute(asked).fetchone()
        assert move_pending("default") == 1
        assert other.execute(asked).fetchone() == before
        insert(other)
        other.commit()
    assert AgendaEntry.objects.count() == 2
    assert move_pending("default") == 1


def test_a_reader_sees_each_once_whenever_it_looks() -> None:
    """A statement that begins while the mover has not committed, and one that waits for it."""
    token()
    with session() as mover:
        mover.execute(MOVE.format(wait=True))
        assert AgendaEntry.objects.count() == 1
        second = Background(lambda: sql(MOVE.format(wait=True)))
        wait_until(lambda: waits_for(mover.info.backend_pid), "the second mover")
        mover.commit()
    assert second.result() == [(0,)]
    assert proper() == (1, 1)


def test_a_mover_that_is_killed_has_moved_nothing() -> None:
    for _ in range(3):
        token()
    before = told()
    with session() as mover:
        assert mover.execute(MOVE.format(wait=True)).fetchone() == (3,)
        sql("SELECT pg_terminate_backend(%s)", mover.info.backend_pid)
        with pytest.raises(psycopg.OperationalError):
            mover.execute("SELECT 1")
    wait_until(lambda: move_pending("default") == 3, "locks of the killed session")
    assert told() == before


def test_eight_writers_and_two_movers() -> None:
    numbers = count()

    def write() -> None:
        for _ in range(12):
            with transaction.atomic():
                row = token(LATER + timedelta(seconds=next(numbers)))
            if row.pk % 3 == 0:
                row.delete()

    def move() -> int:
        return sum(move_pending("default") for _ in range(15))

    together(*[write] * 8, move, move)
    move_pending("default")
    scheduled = Event.objects.filter(kind="expiry_scheduled").values_list("pk", flat=True)
    assert len(scheduled) == len({*scheduled}) == 96
    assert proper() == (96, 96)
    assert pending() == 0
    call_command("lifecycle", "verify", verbosity=0)


def test_the_ledger_is_not_covered_past_a_writer_of_the_pending_list() -> None:
    with session() as other:
        insert(other)
        known = segments.mark("default")
        assert known.writers
        assert not segments.is_written(known, "default")
        other.commit()
    assert segments.is_written(known, "default")


def test_who_has_a_number_is_waited_for_before_it_has_written() -> None:
    with session() as other:
        other.execute("SELECT nextval('lifecycle_event_id_seq')")
        known = segments.mark("default")
        assert not segments.is_written(known, "default")
        other.rollback()
    assert segments.is_written(known, "default")


def test_while_a_dump_is_restored_nothing_is_moved() -> None:
    many()
    with transaction.atomic():
        sql("DROP SEQUENCE lifecycle.in_use; CREATE SEQUENCE lifecycle.in_use")
        assert move_pending("default") == 0
        assert pending() == 110
        transaction.set_rollback(True)


# What an event does to entries that are pending


def test_what_is_settled_is_moved_first() -> None:
    row = token()
    event = Event.objects.get(kind="expiry_scheduled")
    sql(
        "SELECT lifecycle.write_v1('settled', 'tokens', 'zoo.token', NULL, 0, NULL, NULL, NULL,"
        " '{}', ARRAY[%s]::bigint[])", event.pk,
    )  # fmt: skip
    assert not AgendaEntry.objects.exists()
    assert Event.objects.get(pk=event.pk).subjects == [str(row.pk)]
    call_command("lifecycle", "rebuild", verbosity=0)
    assert not AgendaEntry.objects.exists()
    row.delete()


def test_what_is_renamed_is_moved_first() -> None:
    row = token()
    with renamed("tokens", "tokens-renamed"):
        assert AgendaEntry.objects.get().policy == "tokens-renamed"
        assert Event.objects.get(kind="expiry_scheduled").policy == "tokens"
        assert pending() == 0
        row.delete()
        assert Event.objects.latest("pk").kind == "deleted"


@pytest.mark.slow
@pytest.mark.skipif(not settings.EMBEDDED_DATABASE, reason="needs the embedded server's tools")
def test_a_dump_has_it_and_a_restore_gives_it_back(tmp_path: Path) -> None:
    with backups(tmp_path) as made:
        token()
        move_pending("default")
        token()
        restore, before = made.dump(), told()
        restore()
        assert (pending(), told()) == (1, before)
        token()
        assert move_pending("default") == 2
        call_command("lifecycle", "rebuild", verbosity=0)
        call_command("lifecycle", "verify", verbosity=0)
        with pytest.raises(IntegrityError, match="append-only"):
            sql("DELETE FROM lifecycle_event")


def test_a_rebuild_gives_the_same() -> None:
    token()
    move_pending("default")
    token()
    before = told()
    call_command("lifecycle", "rebuild", verbosity=0)
    assert told() == before
    sql("DELETE FROM lifecycle_agenda")
    call_command("lifecycle", "rebuild", verbosity=0)
    assert told() == before


# Its guards

REFUSED = [
    "DELETE FROM lifecycle_pending",
    "DELETE FROM lifecycle_event WHERE kind = 'expiry_scheduled'",
    "DELETE FROM lifecycle_agenda",
    "UPDATE lifecycle_pending SET actor = 'nobody'",
    "UPDATE lifecycle_agenda SET due_at = due_at + interval '1 day'",
    "UPDATE lifecycle_event SET recorded_at = now()",
]


@pytest.mark.parametrize("change", REFUSED)
def test_what_is_pending_is_of_the_ledger(change: str) -> None:
    token()
    before = told()
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        sql(change)
    assert told() == before


def test_it_goes_for_nothing_but_the_event_as_it_was() -> None:
    token()
    sql("CREATE TEMP TABLE other AS SELECT * FROM ONLY lifecycle_event LIMIT 0")
    sql("INSERT INTO other SELECT (here::lifecycle_event).* FROM lifecycle_pending AS here")
    sql("UPDATE other SET cause = 'another'")
    with pytest.raises(IntegrityError, match="append-only"):
        sql("INSERT INTO lifecycle_event SELECT * FROM other; DELETE FROM lifecycle_pending")
    assert (pending(), proper()) == (1, (0, 0))


@pytest.mark.plants(6)
def test_how_often_it_was_tried_may_change_and_who_saves_it_changes_nothing() -> None:
    token()
    AgendaEntry.objects.update(attempts=2)
    Event.objects.get(kind="expiry_scheduled").save()
    assert AgendaEntry.objects.get().attempts == 2
    move_pending("default")
    assert AgendaEntry.objects.get().attempts == 2


def test_a_number_that_is_pending_is_not_given_again() -> None:
    token()
    taken = Event.objects.get(kind="expiry_scheduled").pk
    for write in (token, lambda: token(timedelta(hours=1)), lambda: Token.objects.first().delete()):
        sql(f"SELECT setval('lifecycle_event_id_seq', {taken}, false)")
        write()
    numbers = [event.pk for event in Event.objects.all()]
    assert len(numbers) == len({*numbers})


# Many of a policy are listed in sets


def many(number: int = 110, apart: timedelta = timedelta(minutes=1)) -> list[Token]:
    return [token(LATER + place * apart) for place in range(number)]


def listed() -> dict[str, int]:
    """How many entries list each key of `tokens`."""
    return dict(
        sql(
            "SELECT key, count(*) FROM lifecycle_agenda, lifecycle.keys_v1(event_id) AS key"
            " WHERE policy = 'tokens' GROUP BY 1"
        )
    )


def test_many_are_gathered_under_the_earliest_end_and_go_each_in_its_time() -> None:
    rows = many()
    was = list(Event.objects.filter(kind="expiry_scheduled").order_by("pk").values())
    assert move_pending("default") == 110
    numbers = [each["id"] for each in was]
    assert list(Event.objects.filter(pk__in=numbers).order_by("pk").values()) == was
    assert listed() == {str(row.pk): 1 for row in rows}
    assert AgendaEntry.objects.count() == 100
    settled = Event.objects.get(kind="settled")
    assert settled.settled == numbers
    assert settled.detail["gathered"] == sorted(e.pk for e in AgendaEntry.objects.all())
    call_command("lifecycle", "rebuild", verbosity=0)
    assert listed() == {str(row.pk): 1 for row in rows}
    pass_time(days=30, minutes=50, seconds=-30)
    assert run_due()["tokens"].purged == 50
    pass_time(hours=2)
    assert run_due()["tokens"].purged == 60


def test_what_is_gathered_is_no_word_that_a_row_was_there() -> None:
    rows = many(101)
    gone = rows.pop(0)
    key = str(gone.pk)
    gone.delete()
    move_pending("default")
    events = [event for event in Event.objects.order_by("pk") if key in event.subjects]
    assert events[-1].detail.get("relisted") == "gathered"
    found = life(events, [], ["tokens"], timezone.now())
    assert found
    assert [span.state for span in found.lanes[0].spans] == ["live", "gone"]
    pass_time(days=31)
    assert run_due()["tokens"].purged == 100


def test_a_row_that_is_there_twice_keeps_both_entries() -> None:
    rows = many()
    rows[3].expires_at += timedelta(days=3)
    rows[3].save()
    move_pending("default")
    assert listed()[str(rows[3].pk)] == 2
    pairs = Event.objects.filter(detail={}, kind="expiry_scheduled")
    assert AgendaEntry.objects.filter(event__in=pairs).count() == 2


def test_other_keys_are_gathered_too() -> None:
    for number in range(101):
        Coupon.objects.create(code=f"é-{number}", expires_at=timezone.now() + LATER)
    move_pending("default")
    assert AgendaEntry.objects.filter(policy="coupons").count() < 101
    assert sum(AgendaEntry.objects.filter(policy="coupons").values_list("count", flat=True)) == 101


def test_a_reconcile_pass_adds_nothing_to_what_is_gathered() -> None:
    many()
    move_pending("default")
    before = Event.objects.count(), listed()
    ask(get_policy("tokens"), "default")
    while step(get_policy("tokens"), "default", hurried=True):
        pass
    assert (Event.objects.count(), listed()) == before
