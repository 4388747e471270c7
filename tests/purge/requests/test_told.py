"""Requests are what the events of the ledger say: kept, rebuilt, and not forged in their table."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import DatabaseError, ProgrammingError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

import purge
from lifecycle import context, hold, release, restore
from lifecycle.db.connection import DENIED, fetch
from lifecycle.exceptions import LifecycleError
from lifecycle.ledger.policy_states import pause, rebuild, resume
from lifecycle.ledger.write import write
from lifecycle.models import Event
from lifecycle.promises.check import PROJECTIONS, check
from purge.models import Request
from purge.requests import tries
from purge.requests.ask import retry
from purge.requests.restored import back
from purge.requests.told import RESTORED, UNREADABLE
from purge.worker.asked import do_what_was_asked
from tests.lifecycle.management.test_commands import manage
from tests.support import let_pass, run_until_idle
from tests.zoo.models import Person

pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(days=1)
EARLIER = datetime(2001, 1, 1, tzinfo=UTC)
FORGED_EVENTS = """INSERT INTO lifecycle_event (
    kind, policy, model, subjects_bigint, count, recorded_at, cause, actor, detail)
VALUES ('requested', 'people', 'zoo.person', '{7}', 1, now(), '', '', %s::jsonb),
    ('requested', '', 'zoo.person', NULL, 0, now(), '', '', %s::jsonb) RETURNING id"""
COLUMNS = [field.attname for field in Request._meta.concrete_fields]
TRIED = {"waits_for", "tries", "tried_at", "again_at"}


def held(reference: str = "DSR-1", **how: Any) -> Request:
    """A request that a hold refuses."""
    row = Person.objects.create(name="Ann")
    hold(row, reason="court", reference=f"C-{reference}")
    return purge.request_erasure(row, reference, **({"actor": "jo", "grace": 0 * DAY} | how))


def steps(**of: Any) -> list[tuple[str, str]]:
    found = Event.objects.filter(kind="requested", **of).order_by("id")
    return [(each.detail["step"], each.actor) for each in found]


def told() -> list[dict[str, Any]]:
    """What the events say: all but what a worker has noted of its tries."""
    rows = Request.objects.order_by("pk").values(*COLUMNS)
    return [{name: row[name] for name in COLUMNS if name not in TRIED} for row in rows]


def test_each_step_is_an_event_with_its_actor() -> None:
    first, second = held(), held("DSR-2")
    purge.extend_request(first.pk, "forty at once", "kim")
    purge.answer_request(first.pk, "a contract", "lou")
    release(reference="C-DSR-2")
    with context(actor=""):
        retry()
    assert steps(subjects_bigint=[int(first.key)]) == [
        ("opened", "jo"), ("extended", "kim"), ("answered", "lou"),
    ]  # fmt: skip
    assert steps(subjects_bigint=[int(second.key)]) == [("opened", "jo"), ("done", "")]
    opened, closed = Event.objects.get(pk=first.pk), Event.objects.filter(kind="requested")
    assert {*opened.detail} == {"step", "reference", "grace", "received", "deadline"}
    last = closed.filter(detail__step="answered").get()
    assert last.detail == {"step": "answered", "request": first.pk, "reason": "a contract"}


def test_the_table_is_made_again_from_the_ledger() -> None:
    first = held(received=timezone.now() - 3 * DAY)
    second, _, fourth = held("DSR-2"), held("DSR-3"), held("DSR-4", grace=None)
    purge.extend_request(first.pk, "forty at once", "kim")
    purge.answer_request(second.pk, "a contract", "lou")
    release(reference="C-DSR-3")
    retry()
    before = told()
    assert [bool(each["done_at"]) for each in before] == [False, True, True, False]
    Request.objects.filter(pk__in=[second.pk, fourth.pk]).delete()
    Request.objects.filter(pk=first.pk).update(due_at=timezone.now() + 300 * DAY, extension="x")
    forged()
    found = check(only=[PROJECTIONS])[PROJECTIONS]
    assert {each.problem for each in found} == {
        "its request is missing", "its request is not what the events say",
        "it is a request of which no event tells",
    }  # fmt: skip
    rebuild()
    assert told() == before
    assert check(only=[PROJECTIONS])[PROJECTIONS] == []


OTHER = {
    "event": 1, "reference": "DSR-7", "model": "zoo.token", "key": "4711", "policy": "tokens",
    "actor": "al", "grace": 9 * DAY, "received_at": EARLIER, "due_at": EARLIER,
    "extended_at": EARLIER, "extension": "x", "done_at": EARLIER, "answer": "x",
    "waits_for": RESTORED,
}  # fmt: skip


@pytest.mark.parametrize("name", OTHER)
def test_each_column_that_somebody_has_changed_is_found(name: str) -> None:
    found = held()
    before = told()
    assert check(only=[PROJECTIONS])[PROJECTIONS] == []
    Request.objects.update(**{name: OTHER[name]})
    (wrong,) = check(only=[PROJECTIONS])[PROJECTIONS]
    assert (wrong.event, wrong.problem) == (found.pk, "its request is not what the events say")
    rebuild()
    assert told() == before
    assert check(only=[PROJECTIONS])[PROJECTIONS] == []


def test_no_column_is_left_out() -> None:
    assert {*OTHER} == {*COLUMNS} - TRIED - {"id"} | {"waits_for"}


def test_rows_that_have_changed_places_are_made_again() -> None:
    """One stands where the other has to be."""
    first, row = held(), Person.objects.create(name="Bob")
    hold(row, reason="court", reference="C")
    second = purge.request_erasure(row, "DSR-1", actor="jo")
    for found, key in ((second, "-"), (first, second.key), (second, first.key)):
        Request.objects.filter(pk=found.pk).update(key=key)
    rebuild()
    assert dict(Request.objects.values_list("pk", "key")) == {
        first.pk: first.key, second.pk: second.key,
    }  # fmt: skip


def forged(**more: Any) -> Request:
    """A line of the table that no event tells of."""
    values = {"reference": "DSR-9", "model": "zoo.person", "key": "1", "policy": "people"}
    values |= {"actor": "jo", "received_at": timezone.now(), "due_at": timezone.now()}
    return Request.objects.create(**(values | more))


def test_what_a_worker_has_noted_of_its_tries_outlasts_a_rebuild() -> None:
    found = held()
    rebuild()
    tried = Request.objects.values_list("tries", "waits_for").get()
    assert tried == (1, found.waits_for)


def test_the_table_alone_has_no_row_erased() -> None:
    """It is one that a site's role writes."""
    row, other = Person.objects.create(name="Ann"), Person.objects.create(name="Bob")
    pause("people", actor="jo")
    found = purge.request_erasure(row, "DSR-1", actor="jo", grace=0 * DAY)
    purge.answer_request(found.pk, "a contract", "kim")
    resume("people", actor="jo")
    Request.objects.filter(pk=found.pk).update(done_at=None, answer="", key=str(other.pk))
    unsaid = forged(key=str(other.pk))
    let_pass(DAY)
    assert retry() == 2
    assert Person.objects.count() == 2
    found.refresh_from_db()
    assert (found.answer, found.key) == ("a contract", str(row.pk))
    unsaid.refresh_from_db()
    assert "ledger does not say" in unsaid.waits_for
    rebuild()


def test_a_line_that_nobody_has_opened_keeps_nobody_from_opening_it() -> None:
    row = Person.objects.create(name="Ann")
    forged(key=str(row.pk), reference="DSR-1")
    assert purge.request_erasure(row, "DSR-1", actor="jo", grace=0 * DAY).done_at
    assert not Person.objects.exists()


@pytest.mark.slow
@pytest.mark.plants(6, 10)
def test_what_a_superuser_has_written_of_one_stops_no_other() -> None:
    first, second = held(), held("DSR-2")
    detail = {"step": "opened", "reference": "x", "received": "soon", "deadline": "never"}
    never = {"step": "done", "request": "x"}
    bad = fetch("default", FORGED_EVENTS, [json.dumps(each) for each in (detail, never)])[0][0]
    Request.objects.all().delete()
    assert {each.problem for each in check(only=[PROJECTIONS])[PROJECTIONS]} == {
        UNREADABLE, "its request is missing",
    }  # fmt: skip
    rebuild()
    assert [each.pk for each in Request.objects.order_by("pk")] == [first.pk, second.pk]
    assert [each.event for each in check(only=[PROJECTIONS])[PROJECTIONS]] == [bad]
    release(reference="C-DSR-2")
    assert retry() == 2


def test_the_table_alone_keeps_no_request_from_being_tried() -> None:
    """Neither a time that is far off, nor a word that it waits for somebody, which verify names."""
    found = held()
    release(reference="C-DSR-1")
    now = timezone.now() + DAY
    Request.objects.update(again_at=now + 9000 * DAY, tried_at=now, waits_for=RESTORED)
    assert retry() == 0
    (said,) = check(only=[PROJECTIONS])[PROJECTIONS]
    assert said.problem == "its request is not what the events say"
    rebuild()
    assert retry() == 1
    assert not Person.objects.exists()
    assert check(only=[PROJECTIONS])[PROJECTIONS] == []
    assert found.pk == Request.objects.get().pk


def test_who_asks_once_more_is_the_one_who_has_it_erased() -> None:
    row = Person.objects.create(name="Ann")
    found = purge.request_erasure(row, "DSR-1", actor="jo")
    restore(row)
    let_pass(DAY)
    retry()
    assert "restored" in Request.objects.get().waits_for
    hold(row, reason="court", reference="C")
    purge.request_erasure(row, "DSR-1", actor="kim", grace=None)
    assert steps() == [("opened", "jo"), ("asked", "kim")]
    release(reference="C")
    retry()
    assert Event.objects.filter(kind="expired_by_hand").latest("pk").actor == "kim"
    assert Request.objects.get().pk == found.pk


def test_where_this_role_may_not_erase_the_worker_tries_at_its_next_look(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Refused(Exception):
        sqlstate = DENIED

    def denied(*_: Any) -> Any:
        raise ProgrammingError from Refused()

    held()
    release(reference="C-DSR-1")
    Request.objects.update(tried_at=timezone.now() + DAY)  # by its clock after the release
    with monkeypatch.context() as patched:
        patched.setattr(tries, "erase_key", denied)
        found = purge.request_erasure(Person.objects.get(), "DSR-1", actor="jo", grace=0 * DAY)
    assert (found.done_at, found.again_at) == (None, None)
    assert retry() == 1
    assert not Person.objects.exists()


def test_asked_twice_nothing_more_is_said() -> None:
    found = held()
    purge.request_erasure(Person.objects.get(), "DSR-1", actor="jo", grace=0 * DAY)
    assert steps() == [("opened", "jo")]
    assert found.pk == Request.objects.get().pk


def test_a_beat_that_finds_nothing_to_do_asks_one_question() -> None:
    """Also where plans and requests are there that are over, or wait for a person."""
    for rows in (0, 1):
        if rows:
            purge.answer_request(held().pk, "a contract", "kim")
            held("DSR-2")
            back("default", "kim")
            purge.plan("hold", Person.objects.all(), "reason", actor="jo")
        with CaptureQueriesContext(connection) as asked:
            do_what_was_asked("default")
        assert len(asked) == 1, rows
    release(reference="C-DSR-2")
    purge.request_erasure(Person.objects.last(), "DSR-3", actor="jo")
    with CaptureQueriesContext(connection) as asked:
        do_what_was_asked("default")
    assert len(asked) > 3


class TestRestored:
    """A backup of the table, or of all, has other requests than there were."""

    def test_answers_that_the_ledger_knows_are_back_with_a_replay(self) -> None:
        found, row = held(), Request.objects.values().get()
        purge.answer_request(found.pk, "a contract", "kim")
        release(reference="C-DSR-1")
        Request.objects.filter(pk=found.pk).update(**row)  # out of a backup
        manage("purge", "--replay", "--yes", "--actor", "jo")
        found.refresh_from_db()
        assert found.answer == "a contract"
        assert Person.objects.exists()

    def test_where_nothing_is_published_open_ones_wait_for_somebody(self) -> None:
        found = held()
        assert "1 open requests" in manage("purge", "--replay", "--yes", "--actor", "kim")
        release(reference="C-DSR-1")
        let_pass(DAY)
        assert retry() == 0
        assert Person.objects.exists()
        found.refresh_from_db()
        assert found.waits_for == RESTORED
        assert steps()[-1] == ("withheld", "kim")
        assert back("default", "kim") == 0, "they wait already"
        purge.request_erasure(Person.objects.get(), "DSR-1", actor="lou", grace=0 * DAY)
        assert [step for step, _ in steps()[-2:]] == ["asked", "done"]
        assert not Person.objects.exists()

    def test_one_that_is_under_way_goes_on(self) -> None:
        row = Person.objects.create(name="Ann")
        purge.request_erasure(row, "DSR-1", actor="jo")
        assert back("default", "kim") == 0
        assert steps() == [("opened", "jo")]


def test_a_date_that_nothing_reads_is_refused() -> None:
    """It would be in the ledger for good, and no list of requests could be read any more."""
    row = Person.objects.create(name="Ann")
    for year in (1, 1899):
        early = datetime(year, 1, 1, tzinfo=ZoneInfo("Europe/Berlin"))
        with pytest.raises(LifecycleError, match="before 1900"):
            purge.request_erasure(row, "DSR-1", early, actor="jo")
    assert steps() == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"received": "-----------"}, {"deadline": "99999-01-01T00:00"}, {"reference": "x" * 201},
        {"received": "0001-01-01T00:00+14:00"}, {"ended": "12345678901"},
    ],
)  # fmt: skip
def test_what_no_table_takes_is_no_step(wrong: dict[str, str]) -> None:
    """One such event would keep the whole table from being made again."""
    row = Person.objects.create(name="Ann")
    said = {"step": "opened", "reference": "R", "received": "2026-01-01", "deadline": "2026-02-01"}
    of: dict[str, Any] = {"policy": "people", "model": "zoo.person", "key": str(row.pk)}
    with pytest.raises(DatabaseError):
        write("requested", "default", **of, of=Person, detail=said | wrong)
    write("requested", "default", **of, of=Person, detail=said | {"reference": "x" * 200})
    rebuild()
    assert len(Request.objects.get().reference) == 200


def test_one_that_was_never_tried_is_not_kept_waiting_by_those_under_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Opened by a process that may not erase, while as many are in their grace as a look tries."""
    monkeypatch.setattr(tries, "AT_ONCE", 1)
    purge.request_erasure(Person.objects.create(name="Bob"), "DSR-1", actor="jo")
    found = held("DSR-2")
    release(reference="C-DSR-2")
    Request.objects.filter(pk=found.pk).update(tried_at=None, again_at=None, tries=0)
    retry()
    assert [each.name for each in Person.objects.all()] == ["Bob"]


def test_a_receipt_of_before_is_no_answer_for_another_row_under_the_same_reference() -> None:
    row = Person.objects.create(name="Ann")
    key = row.pk
    purge.erase(row, "DSR-1", actor="jo", grace=0 * DAY)
    hold(other := Person.objects.create(pk=key, name="Bob"), reason="court", reference="C")
    found = purge.request_erasure(other, "DSR-1", actor="jo", grace=0 * DAY)
    assert found.done_at is None
    release(reference="C")
    retry()
    assert not Person.objects.exists()
    found.refresh_from_db()
    assert found.done_at
    assert found.done_at > found.received_at


def test_one_that_was_under_way_before_it_was_opened_is_done_with_it() -> None:
    row = Person.objects.create(name="Ann")
    purge.erase(row, "DSR-1", actor="jo")
    found = purge.request_erasure(row, "DSR-1", actor="jo")
    let_pass(DAY)
    run_until_idle()
    retry()
    found.refresh_from_db()
    assert (bool(found.done_at), found.answer) == (True, "")
