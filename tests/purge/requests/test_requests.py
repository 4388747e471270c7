"""Requests for erasure and their clock: docs/how-to/answer-an-erasure-request.md."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

import purge
from lifecycle import context, hold, live, release, restore
from lifecycle.exceptions import LifecycleError
from lifecycle.ledger.policy_states import pause, resume
from lifecycle.models import Event
from purge.alerts import watch
from purge.alerts.texts import body, subject
from purge.models import Alert, Request
from purge.requests import ask as asking
from purge.requests import tries
from purge.requests.ask import retry, try_request
from purge.requests.telling import overdue, status_of
from purge.worker.whole_pass import run_all
from tests.commands.documented import assert_documented
from tests.lifecycle.management.test_commands import fails, manage
from tests.support import let_pass, run_until_idle
from tests.zoo.models import Bill, Client, Person

pytestmark = pytest.mark.django_db(transaction=True)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOW = timedelta(0)


def person() -> Person:
    return Person.objects.create(name="Ann")


def ask(row: Any, reference: str = "DSR-1", **how: Any) -> Request:
    return purge.request_erasure(row, reference, **({"actor": "jo", "grace": NOW} | how))


def test_one_that_is_done_at_once() -> None:
    found = ask(person())
    assert not Person.objects.exists()
    assert (status_of(found, "default"), found.waits_for) == ("done", "")
    assert found.done_at == Event.objects.get(kind="purged").recorded_at
    assert found.received_at + 28 * DAY <= found.due_at <= found.received_at + 30 * DAY
    assert overdue("default") == []


def test_with_a_grace_it_is_under_way_until_the_row_has_gone() -> None:
    found = ask(person(), grace=None)
    assert status_of(found, "default") == "under way"
    let_pass(2 * HOUR)
    run_until_idle()
    assert not Person.objects.exists()
    retry()
    found.refresh_from_db()
    assert status_of(found, "default") == "done"


def test_a_hold_refuses_it_and_its_release_lets_it_go_on() -> None:
    row = person()
    number = hold(row, reason="court", reference="C-1")
    found = ask(row)
    assert status_of(found, "default") == "waits"
    assert "court" in found.waits_for
    assert Person.objects.exists()
    assert retry() == 0, "not at every look"
    release(number)
    run_all()
    assert not Person.objects.exists()
    found.refresh_from_db()
    assert (status_of(found, "default"), found.waits_for) == ("done", "")
    assert purge.receipts("DSR-1")[0].actor == "jo"


def test_a_hold_that_ends_by_itself() -> None:
    row = person()
    hold(row, reason="court", until=timezone.now() + DAY)
    ask(row)
    let_pass(1.1 * DAY)
    retry()
    assert not Person.objects.exists()


def test_what_refers_is_tried_again_later_and_later() -> None:
    row = person()
    bill = Bill.objects.create(person=row)
    found = ask(row)
    assert "zoo.Bill" in found.waits_for
    bill.delete()
    assert retry() == 0
    let_pass(6 * timedelta(minutes=1))
    assert retry() == 1
    assert not Person.objects.exists()


def test_a_stopped_policy() -> None:
    row = person()
    pause("people", actor="jo")
    assert "paused" in ask(row).waits_for
    resume("people", actor="jo")
    let_pass(HOUR)
    retry()
    assert not Person.objects.exists()


def test_one_that_was_taken_back_is_tried_again() -> None:
    """A restore withdraws the erasure; the request is still open, and somebody has to answer it."""
    row = person()
    found = ask(row, grace=None)
    restore(row)
    retry()
    found.refresh_from_db()
    assert found.done_at is None


def test_a_restore_by_a_person_stands_until_a_person_asks_again() -> None:
    row = person()
    found = ask(row, grace=None)
    restore(row)
    let_pass(DAY)
    retry()
    assert live(Person).get() == row
    found.refresh_from_db()
    assert "restored" in found.waits_for
    ask(row, grace=None)
    assert not live(Person).exists()


def test_another_row_under_the_key_of_one_that_was_erased_stays() -> None:
    row = person()
    found, key = ask(row, grace=None), row.pk
    let_pass(2 * HOUR)
    run_until_idle()
    Person.objects.create(pk=key, name="Bob")
    retry()
    assert Person.objects.get().name == "Bob"
    found.refresh_from_db()
    assert status_of(found, "default") == "done"


@pytest.mark.parametrize("again", [retry, lambda: ask(Person.objects.get())])
def test_another_row_under_the_key_of_one_that_the_site_deleted_stays(again: Any) -> None:
    row = person()
    pause("people", actor="jo")
    found, key = ask(row), row.pk
    row.delete()
    Person.objects.create(pk=key, name="Bob")
    resume("people", actor="jo")
    let_pass(HOUR)
    again()
    assert Person.objects.get().name == "Bob"
    found.refresh_from_db()
    assert "not in the database" in found.answer


def test_what_a_person_says_while_a_worker_goes_through_the_list_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The list was read before: the second is answered, the third extended, during the first."""
    first, second, third = person(), person(), person()
    bill = Bill.objects.create(person=third)
    pause("people", actor="jo")
    _, answered, extended = ask(first), ask(second, "DSR-2"), ask(third, "DSR-3")
    resume("people", actor="jo")
    let_pass(HOUR)
    erase, said = tries.erase_key, []

    def meanwhile(*args: Any) -> Any:
        if not said:
            said.append(purge.answer_request(answered.pk, "a court's hold", "kim"))
            said.append(purge.extend_request(extended.pk, "many", "kim"))
        return erase(*args)

    monkeypatch.setattr(tries, "erase_key", meanwhile)
    retry()
    assert list(Person.objects.order_by("pk")) == [second, third]
    answered.refresh_from_db()
    assert answered.answer == "a court's hold"
    extended.refresh_from_db()
    assert (extended.extension, extended.due_at) == ("many", said[1].due_at)
    assert bill.pk


def test_twice_is_one() -> None:
    row = person()
    hold(row, reason="court")
    assert ask(row).pk == ask(row).pk
    assert ask(row, "DSR-2").pk != ask(row).pk


def test_a_row_that_is_gone() -> None:
    row = person()
    number = hold(row, reason="court")
    found = ask(row)
    Person.objects.all().delete()
    release(number)
    retry()
    found.refresh_from_db()
    assert found.done_at is not None
    assert "not in the database" in found.answer


def test_the_deadline_is_extended_once() -> None:
    row = person()
    hold(row, reason="court")
    found = ask(row, received=timezone.now() - 31 * DAY)
    assert [each.pk for each in overdue("default")] == [found.pk]
    with pytest.raises(LifecycleError, match="Say why"):
        purge.extend_request(found.pk, " ", "jo")
    with pytest.raises(LifecycleError, match="Say who"):
        purge.extend_request(found.pk, "many requests")
    longer = purge.extend_request(found.pk, "many requests", "jo")
    assert found.due_at + 59 * DAY <= longer.due_at <= found.due_at + 61 * DAY
    assert overdue("default") == []
    with pytest.raises(LifecycleError, match="once"):
        purge.extend_request(found.pk, "again", "jo")


def test_it_is_answered_otherwise() -> None:
    row = person()
    hold(row, reason="court")
    found = ask(row)
    with context(actor="jo"):
        answered = purge.answer_request(found.pk, "a court's hold: Article 17(3)(e)")
    assert status_of(answered, "default") == "answered"
    with pytest.raises(LifecycleError, match="is closed"):
        purge.answer_request(found.pk, "again", "jo")
    let_pass(2 * DAY)
    assert retry() == 0
    assert Person.objects.exists()


def test_one_that_is_answered_while_a_worker_has_it_in_hand() -> None:
    row = person()
    hold(row, reason="court")
    in_hand = ask(row)
    purge.answer_request(in_hand.pk, "a contract that still runs", "jo")
    release(row)
    assert status_of(try_request(in_hand, "default"), "default") == "answered"
    assert Person.objects.exists()
    assert Request.objects.get().answer == "a contract that still runs"


def test_one_that_is_under_way_is_not_answered() -> None:
    found = ask(person(), grace=None)
    with pytest.raises(LifecycleError, match="is under way"):
        purge.answer_request(found.pk, "no", "jo")


def test_refused() -> None:
    row = person()
    with pytest.raises(LifecycleError, match="in the future"):
        ask(row, received=timezone.now() + DAY)
    with pytest.raises(LifecycleError, match="wants a name"):
        ask(row, actor="")
    with pytest.raises(LifecycleError, match="wants a reference"):
        ask(row, "")
    assert not Request.objects.exists()


def test_an_error_of_one_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = person(), person()
    pause("people", actor="jo")
    ask(first), ask(second, "DSR-2")
    resume("people", actor="jo")
    let_pass(HOUR)
    erase = tries.erase_key

    def broken(model: Any, key: str, reference: str, *rest: Any) -> Any:
        return erase(model, key, reference, *rest) if reference == "DSR-2" else 1 / 0

    monkeypatch.setattr(tries, "erase_key", broken)
    assert retry() == 2
    assert list(Person.objects.all()) == [first]


@pytest.mark.parametrize(
    ("received", "due", "longer"),
    [
        ("2026-03-10", "2026-04-09", "2026-06-08"),  # 30 days, and 60 more
        ("2026-02-01", "2026-03-01", "2026-05-01"),  # a month of 28 days
        ("2026-01-31", "2026-02-28", "2026-04-30"),
        ("2027-12-31", "2028-01-30", "2028-03-30"),
        ("2026-12-15", "2027-01-14", "2027-03-15"),  # three months of 90 days
    ],
)
def test_a_deadline_is_no_later_than_the_laws(received: str, due: str, longer: str) -> None:
    at = timezone.make_aware(datetime.fromisoformat(received))
    assert timezone.localdate(asking.deadline(at)).isoformat() == due
    assert timezone.localdate(asking.deadline(at, longer=True)).isoformat() == longer


def test_people_are_told_of_an_overdue_one() -> None:
    row = person()
    hold(row, reason="court")
    ask(row, received=timezone.now() - 31 * DAY)
    watch.update_alerts("default")
    alert = Alert.objects.get(kind="overdue")
    assert (alert.model, alert.count) == ("zoo.person", 1)
    assert subject(alert) == "Requests to erase rows of zoo.person are overdue"
    assert "lifecycle requests --overdue" in body(alert, "default")
    told = fails("lifecycle", "status", "people")
    assert "requests overdue since" in told


class TestCommand:
    def test_from_open_to_done(self) -> None:
        client = Client.objects.create(email="a@b.c")
        row = f"zoo.Client:{client.pk}"
        assert manage("lifecycle", "requests") == "No request.\n"
        told = manage("lifecycle", "requests", "open", row, "--reference", "DSR-1", "--actor", "jo")
        assert f"DSR-1, {row}, done" in told
        assert f"Erasure: {row}, reference DSR-1" in told
        assert "lifecycle certificate --reference DSR-1" in told
        assert manage("lifecycle", "requests") == "No request.\n"
        (data,) = json.loads(manage("lifecycle", "requests", "--all", "--json"))
        assert_documented("lifecycle requests", [data])
        assert (data["status"], data["overdue"], data["row"]) == ("done", False, row)

    def test_overdue(self) -> None:
        row = person()
        hold(row, reason="court")
        words = ("--reference", "DSR-1", "--received", "2020-01-01", "--actor", "jo")
        manage("lifecycle", "requests", "open", f"zoo.Person:{row.pk}", *words)
        number = str(Request.objects.get().pk)
        told = fails("lifecycle", "requests", "--overdue")
        assert "OVERDUE since 2020-01-31" in told
        assert "1 request is overdue." in told
        told = manage("lifecycle", "requests", "extend", number, "--reason", "r", "--actor", "jo")
        assert "extended" in told
        told = manage("lifecycle", "requests", "answer", number, "--reason", "no", "--actor", "jo")
        assert "answered" in told
        assert manage("lifecycle", "requests", "--overdue") == "No request is overdue.\n"
        assert "no" in manage("lifecycle", "requests", "show", number)

    @pytest.mark.parametrize(
        ("words", "says"),
        [
            (("open",), "Say which row"),
            (("open", "zoo.Person:1"), "wants a reference"),
            (("extend",), "by its number"),
            (("show", "99999999"), "There is no request"),
            (("answer", "99999999", "--reason", "r"), "There is no request"),
        ],
    )
    def test_refused(self, words: tuple[str, ...], says: str) -> None:
        assert says in fails("lifecycle", "requests", *words)
