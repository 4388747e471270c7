"""Erasure on request: what goes, what is refused, what the receipt says, now and later."""

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.models.fields.json import KT
from django.db.models.signals import pre_delete
from django.utils import timezone

import purge
from lifecycle import context, expire_now, hold, live, release, restore
from lifecycle.exceptions import ConditionNotMet, LifecycleError, NoPolicy, RowMissing
from lifecycle.ledger import policy_states as states
from lifecycle.models import AgendaEntry, Event, RowException
from lifecycle.policy.registry import get_policy
from lifecycle.promises import check as promises
from purge.erasure.receipt import Receipt
from purge.exceptions import ErasureRefused
from purge.models import Run
from purge.runner import run_due
from tests.commands.documented import assert_documented
from tests.support import events_of, let_pass, other_sql, run_until_idle
from tests.zoo.factories import PersonFactory
from tests.zoo.models import Attachment, Bill, Call, Client, Comment, Person, Photo, Ticket

pytestmark = pytest.mark.django_db(transaction=True)
GUARD = "lifecycle_event_guard_truncate"  # which is off in test databases
STATE = "UPDATE lifecycle_policy SET state = %s WHERE name = 'people'"
NOW, HOUR = timedelta(0), timedelta(hours=1)


def erase(row: Any, reference: str = "DSR-12", **options: Any) -> Receipt:
    return purge.erase(row, reference=reference, **({"grace": NOW, "actor": "ann"} | options))


def full(person: Person) -> Person:
    """A person with everything that a person may have, but bills."""
    for name in ("a.jpg", "b.jpg", ""):
        Photo.objects.create(person=person, file=name)
    Call.objects.create(person=person)
    return person


def ends_in(receipt: Receipt, span: timedelta) -> bool:
    assert receipt.ends_at
    return abs(receipt.ends_at - timezone.now() - span) < timedelta(minutes=1)


def untouched(row: Any) -> bool:
    return (
        type(row).objects.filter(pk=row.pk).exists()
        and not Event.objects.filter(kind__in=("expired_by_hand", "purged")).exists()
        and not RowException.objects.exclude(kind="hold").exists()
        and not AgendaEntry.objects.exists()
        and not Run.objects.exists()
    )


class TestNow:
    def test_the_row_goes_and_the_receipt_says_what_went(self) -> None:
        other, person = full(PersonFactory()), full(PersonFactory())
        receipt = erase(person)
        assert list(Person.objects.all()) == [other]
        assert events_of(person) == ["expired_by_hand", "purged"]
        assert (receipt.state, receipt.row) == ("purged", f"zoo.Person:{person.pk}")
        assert (receipt.actor, receipt.policy, receipt.reference) == ("ann", "people", "DSR-12")
        assert receipt.cascade == {"zoo.photo": 3}
        assert receipt.unlinked == {"zoo.call": 1}
        assert receipt.media == ["a.jpg", "b.jpg"]
        assert [each["kind"] for each in receipt.events] == ["expired_by_hand", "purged"]
        assert Call.objects.filter(person=None).count() == 1
        assert Run.objects.get().purged == 1
        assert not RowException.objects.exists()
        assert not AgendaEntry.objects.exclude(policy="").exists()

    def test_its_event_names_an_actor_and_says_that_the_grace_was_skipped(self) -> None:
        person = PersonFactory()
        erase(person)
        purged = Event.objects.get(kind="purged")
        assert (purged.actor, purged.detail["grace_skipped"]) == ("ann", True)
        assert purged.run == Run.objects.get().pk

    @pytest.mark.plants(1, 9)
    def test_without_its_actor_that_event_would_break_promises(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(get_policy("people"), "cap_rows", 1)
        monkeypatch.setattr(get_policy("people"), "cap_fraction", 0)
        for number in range(2):
            erase(PersonFactory(), f"R-{number}")
        assert not any(promises.check().values())
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE lifecycle_event DISABLE TRIGGER USER")
            cursor.execute("UPDATE lifecycle_event SET actor = '' WHERE kind = 'purged'")
            cursor.execute("ALTER TABLE lifecycle_event ENABLE TRIGGER USER")
            cursor.execute(f"ALTER TABLE lifecycle_event DISABLE TRIGGER {GUARD}")
        broken = {name: len(those) for name, those in promises.check().items() if those}
        assert broken == {
            "promise_01_not_before_its_time": 2,
            "promise_09_no_more_than_the_cap": 1,
        }

    def test_everything_is_one_transaction_of_the_caller(self) -> None:
        person = full(PersonFactory())
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '1234ms'")
            erase(person)
            with connection.cursor() as cursor:
                cursor.execute("SHOW lock_timeout")
                assert cursor.fetchone()[0] == "1234ms"
            assert not Person.objects.exists()
            transaction.set_rollback(True)
        assert untouched(person)

    def test_the_actor_of_the_context(self) -> None:
        with context(actor="bob", cause="ticket 9"):
            receipt = erase(PersonFactory(), actor="")
        assert receipt.actor == "bob"
        assert set(Event.objects.filter(kind="purged").values_list("cause")) == {("ticket 9",)}

    def test_twice_tells_the_receipt_again(self) -> None:
        person = full(PersonFactory())
        first = erase(person)
        assert erase(person) == first
        assert purge.receipts("DSR-12") == [first]
        assert Event.objects.filter(kind="purged").count() == 1

    def test_a_new_row_under_the_key_is_another_erasure(self) -> None:
        person = PersonFactory()
        erase(person)
        erase(PersonFactory(pk=person.pk))
        assert not Person.objects.exists()
        assert len(purge.receipts("DSR-12")) == 2

    def test_receipts_are_found_by_an_index(self) -> None:
        erase(PersonFactory())
        found = Event.objects.alias(named=KT("detail__reference"))
        found = found.filter(detail__has_key="reference", named="DSR-12")
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            assert "lc_event_reference" in found.explain()

    def test_the_log_says_so_and_names_nobody(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level("INFO", "purge")
        person = PersonFactory(name="Ada")
        erase(person)
        (record,) = [each for each in caplog.records if each.action == "erased"]
        assert (record.policy, record.model) == ("people", "zoo.person")
        assert "Ada" not in caplog.text
        assert "DSR" not in caplog.text

    def test_several_rows_under_one_reference(self) -> None:
        for _ in range(2):
            erase(full(PersonFactory()))
        told = purge.receipts("DSR-12")
        assert [each.cascade for each in told] == [{"zoo.photo": 3}] * 2
        assert told[0].row != told[1].row

    def test_a_row_in_its_grace_goes_at_once(self) -> None:
        person = PersonFactory()
        erase(person, grace=None)
        receipt = erase(person)
        assert receipt.state == "purged"
        assert events_of(person)[-2:] == ["expired_by_hand", "purged"]
        assert purge.receipts("DSR-12") == [receipt]
        run_until_idle()

    def test_outside_the_purge_hours(self, settings: Any) -> None:
        hour = timezone.localtime().hour
        settings.LIFECYCLE_PURGE_HOURS = ((hour + 2) % 24, (hour + 3) % 24)
        assert erase(PersonFactory()).state == "purged"

    def test_counted_against_the_cap_and_never_stopped_by_it(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(get_policy("people"), "cap_rows", 1)
        monkeypatch.setattr(get_policy("people"), "cap_fraction", 0)
        for number in range(3):
            erase(PersonFactory(), f"R-{number}")
            erase(PersonFactory(), f"G-{number}", grace=None)
        run_due()
        assert not Event.objects.filter(kind="halted").exists()
        Person.objects.all()._raw_delete("default")
        PersonFactory()
        expire_now(Person.objects.get())
        run_due()
        assert Event.objects.filter(kind="halted").exists()

    def test_an_update(self) -> None:
        client = Client.objects.create(email="ada@example.org", picture="ada.png")
        receipt = erase(client)
        client.refresh_from_db()
        assert (client.email, client.picture.name) == ("", "")
        assert (receipt.state, receipt.media) == ("updated", ["ada.png"])
        assert not RowException.objects.exists()
        assert erase(client) == receipt
        assert "ada@" not in str(list(Event.objects.values_list("detail")))

    def test_rows_above_rows_in_one_table(self) -> None:
        above = Comment.objects.create()
        below = Comment.objects.create(above=above)
        Attachment.objects.create(comment=below)
        attachment = Attachment.objects.create(comment=above)
        assert erase(attachment).cascade == {}
        assert Attachment.objects.count() == 1

    def test_receivers_are_called_and_may_refuse(self) -> None:
        def receiver(**kwargs: Any) -> None:
            raise ValueError("not this one")

        person = PersonFactory()
        pre_delete.connect(receiver, Person)
        try:
            with pytest.raises(ErasureRefused, match=r"cannot go: ValueError"):
                erase(person)
        finally:
            pre_delete.disconnect(receiver, Person)
        assert untouched(person)


class TestGrace:
    def test_tombstoned_now_and_purged_after_it(self) -> None:
        person = full(PersonFactory())
        receipt = erase(person, grace=None)
        assert receipt.state == "tombstoned"
        assert not live(Person).exists()
        assert ends_in(receipt, HOUR)
        run_until_idle()
        assert Person.objects.exists()
        let_pass(HOUR)
        run_until_idle()
        (told,) = purge.receipts("DSR-12")
        assert (told.state, told.cascade, told.media) == (
            "purged", {"zoo.photo": 3}, ["a.jpg", "b.jpg"],
        )  # fmt: skip
        assert "grace_skipped" not in Event.objects.get(kind="purged").detail

    def test_a_shorter_one(self) -> None:
        person = PersonFactory()
        receipt = erase(person, grace=timedelta(minutes=10))
        assert ends_in(receipt, timedelta(minutes=10))
        let_pass(timedelta(minutes=11))
        run_until_idle()
        assert not Person.objects.exists()

    def test_a_longer_one_is_refused(self) -> None:
        person = PersonFactory()
        with pytest.raises(LifecycleError, match="longer than 1:00:00, that of people"):
            erase(person, grace=2 * HOUR)
        assert untouched(person)

    def test_each_ends_in_a_batch_of_its_own(self) -> None:
        for number in range(3):
            person = PersonFactory()
            Photo.objects.create(person=person, file=f"{number}.jpg")
            erase(person, f"R-{number}", grace=None)
        expire_now(PersonFactory())
        run_due()
        let_pass(HOUR + timedelta(minutes=1))
        run_until_idle()
        assert not Person.objects.exists()
        told = [purge.receipts(f"R-{number}")[0] for number in range(3)]
        assert [each.media for each in told] == [["0.jpg"], ["1.jpg"], ["2.jpg"]]
        assert [each.cascade for each in told] == [{"zoo.photo": 1}] * 3

    def test_asked_again_meanwhile(self) -> None:
        person = PersonFactory()
        first = erase(person, grace=None)
        assert erase(person, grace=None) == first
        with pytest.raises(ErasureRefused, match="expired by hand already"):
            erase(person, "DSR-13", grace=None)

    def test_restored_meanwhile(self) -> None:
        person = PersonFactory()
        erase(person, grace=None)
        restore(person)
        assert purge.receipts("DSR-12")[0].state == "withdrawn"
        let_pass(2 * HOUR)
        run_until_idle()
        assert Person.objects.exists()
        assert erase(person).state == "purged"

    def test_held_meanwhile(self) -> None:
        person = PersonFactory()
        erase(person, grace=None)
        number = hold(person, reference="CASE-9")
        let_pass(2 * HOUR)
        run_until_idle()
        (told,) = purge.receipts("DSR-12")
        assert (told.state, told.waits_for) == ("tombstoned", "a hold")
        release(number)
        run_until_idle()
        let_pass(2 * HOUR)
        run_until_idle()
        assert purge.receipts("DSR-12")[0].state == "purged"

    def test_protected_meanwhile(self) -> None:
        person = PersonFactory()
        erase(person, grace=None)
        bill = Bill.objects.create(person=person)
        let_pass(2 * HOUR)
        run_until_idle()
        (told,) = purge.receipts("DSR-12")
        assert told.waits_for == f"zoo.Bill:{bill.pk}"
        bill.delete()
        let_pass(2 * HOUR)
        run_until_idle()
        assert purge.receipts("DSR-12")[0].state == "purged"

    def test_deleted_meanwhile_by_the_site(self) -> None:
        person = PersonFactory()
        erase(person, grace=None)
        person.delete()
        assert purge.receipts("DSR-12")[0].state == "deleted"

    def test_an_update_waits_for_its_grace(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(get_policy("clients"), "grace", HOUR)
        client = Client.objects.create(email="ada@example.org")
        receipt = erase(client, grace=timedelta(minutes=30))
        assert receipt.state == "scheduled"
        assert ends_in(receipt, HOUR / 2)
        run_until_idle()
        assert Client.objects.exclude(email="").exists()


class TestRefused:
    def test_under_a_hold(self) -> None:
        person = PersonFactory()
        number = hold(person, reference="CASE-9", reason="court")
        for grace in (NOW, None):
            with pytest.raises(ErasureRefused) as caught:
                erase(person, grace=grace)
            assert f"hold {number} on zoo.person:{person.pk}" in str(caught.value)
            assert "(reference CASE-9, reason court)" in str(caught.value)
        assert untouched(person)

    def test_under_a_hold_of_what_goes_along(self) -> None:
        person = full(PersonFactory())
        number = hold(Photo.objects.first(), reference="CASE-9")
        for grace in (NOW, None):
            with pytest.raises(ErasureRefused, match=f"hold {number} on zoo.photo:.*CASE-9"):
                erase(person, grace=grace)
        assert untouched(person)

    def test_under_a_hold_of_the_policy(self) -> None:
        person = PersonFactory()
        number = hold("people", reason="audit")
        with pytest.raises(ErasureRefused, match=rf"hold {number} on people \(reason audit\)"):
            erase(person)
        assert untouched(person)

    def test_not_under_a_hold_that_has_passed(self) -> None:
        person = PersonFactory()
        hold(person, until=timezone.now() + HOUR)
        let_pass(2 * HOUR)
        assert erase(person).state == "purged"

    def test_where_something_protects_it(self) -> None:
        person = full(PersonFactory())
        bill = Bill.objects.create(person=person)
        for grace in (NOW, None):
            with pytest.raises(ErasureRefused, match=rf"zoo.Bill:{bill.pk} refers to it"):
                erase(person, grace=grace)
        assert untouched(person)
        assert Photo.objects.count() == 3

    def test_where_only_the_database_knows_that_something_refers_to_it(self) -> None:
        person = PersonFactory()
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE zoo_secret (person bigint REFERENCES zoo_person)")
            cursor.execute("INSERT INTO zoo_secret VALUES (%s)", [person.pk])
        try:
            with pytest.raises(ErasureRefused, match=r"zoo_secret_person_fkey on zoo_secret"):
                erase(person)
        finally:
            with connection.cursor() as cursor:
                cursor.execute("DROP TABLE zoo_secret")
        assert untouched(person)

    @pytest.mark.parametrize("state", ["paused", "observe"])
    def test_while_the_policy_does_not_act(self, state: str) -> None:
        person = PersonFactory()
        states.pause("people")
        if state == "observe":
            with connection.cursor() as cursor:
                cursor.execute(STATE, ["observe"])
        with pytest.raises(LifecycleError, match=f"people is {state}"):
            erase(person)
        assert untouched(person)
        if state == "observe":
            with connection.cursor() as cursor:
                cursor.execute(STATE, ["paused"])

    def test_without_an_actor(self) -> None:
        person = PersonFactory()
        with pytest.raises(LifecycleError, match="wants a name"):
            erase(person, actor="")
        assert untouched(person)

    @pytest.mark.parametrize("reference", ["", "  ", "x" * 201, None])
    def test_without_a_reference(self, reference: Any) -> None:
        with pytest.raises(LifecycleError, match="wants a reference"):
            erase(PersonFactory(), reference)

    @pytest.mark.parametrize("grace", [-HOUR, 3600])
    def test_wrong_grace(self, grace: Any) -> None:
        with pytest.raises(LifecycleError, match="timedelta of zero or more"):
            erase(PersonFactory(), grace=grace)

    def test_without_a_policy_for_requests(self) -> None:
        ticket = Ticket.objects.create()
        with pytest.raises(LifecycleError, match=r"zoo.Ticket has no policy with on_request=True"):
            erase(ticket)
        with pytest.raises(
            LifecycleError, match=r"no policy called 'tickets' with on_request=True"
        ):
            erase(ticket, policy="tickets")
        with pytest.raises(NoPolicy, match="Did you mean 'people'"):
            erase(PersonFactory(), policy="peopl")

    def test_a_row_that_never_was(self) -> None:
        with pytest.raises(RowMissing, match=r"zoo.Person:7 is not in the database"):
            erase(Person(pk=7))

    def test_outside_when(self) -> None:
        with (
            other_sql("people", 'true AS "matches"', 'false AS "matches"'),
            pytest.raises(ConditionNotMet, match="`when` of 'people'"),
        ):
            erase(PersonFactory())


def terminal(answer: str) -> StringIO:
    """Somebody at a terminal who answers so."""
    stdin = StringIO(f"{answer}\n")
    stdin.isatty = lambda: True  # type: ignore[method-assign]
    return stdin


class TestCommand:
    def run(self, *arguments: str) -> str:
        out = StringIO()
        call_command("lifecycle", "erase", *arguments, stdout=out, stderr=out)
        return out.getvalue()

    def fails(self, *arguments: str) -> str:
        with pytest.raises(CommandError) as caught:
            self.run(*arguments)
        return str(caught.value)

    def of(self, person: Person) -> tuple[str, ...]:
        return f"zoo.Person:{person.pk}", "--reference", "DSR-12", "--grace", "0"

    def test_prints_the_receipt_and_prints_it_again(self) -> None:
        person = full(PersonFactory())
        text = self.run(*self.of(person), "--yes", "--actor", "ann")
        assert f"Erasure: zoo.Person:{person.pk}, reference DSR-12" in text
        assert "by ann, policy people" in text
        assert "3 zoo.photo" in text
        assert "1 zoo.call, link emptied" in text
        assert "remain in the storage: a.jpg, b.jpg" in text
        assert "archives  none" in text
        assert self.run("--show", "DSR-12") == text
        assert self.run(*self.of(person), "--yes", "--actor", "ann") == text

    def test_json(self) -> None:
        person = full(PersonFactory())
        (told,) = every = json.loads(self.run(*self.of(person), "--yes", "--json"))
        assert_documented("lifecycle erase", every)
        assert told["state"] == "purged"
        assert told["cascade"] == {"zoo.photo": 3}
        assert told["ended_at"].endswith("+00:00")
        assert told["archives"] == []
        assert json.loads(self.run("--show", "DSR-12", "--json")) == [told]

    def test_dry_run(self) -> None:
        person = full(PersonFactory())
        text = self.run(*self.of(person), "--dry-run")
        assert text.startswith("Would be erased:")
        assert "3 zoo.photo" in text
        assert "a.jpg" in text
        assert untouched(person)
        text = self.run(f"zoo.Person:{person.pk}", "--reference", "R", "--dry-run")
        assert "tombstoned" in text
        assert untouched(person)

    def test_asks_only_where_somebody_can_answer(self, monkeypatch: pytest.MonkeyPatch) -> None:
        person = PersonFactory()
        monkeypatch.setattr("sys.stdin", StringIO())
        assert "say --yes" in self.fails(*self.of(person))
        monkeypatch.setattr("sys.stdin", terminal("n"))
        assert self.run(*self.of(person)).endswith("Nothing was changed.\n")
        assert untouched(person)
        monkeypatch.setattr("sys.stdin", terminal("y"))
        assert "Erasure:" in self.run(*self.of(person))

    def test_bad_input(self) -> None:
        person = PersonFactory()
        row = f"zoo.Person:{person.pk}"
        assert "Say which row" in self.fails()
        assert "wants a reference" in self.fails(row, "--yes")
        assert "no model 'zoo.Persons'" in self.fails("zoo.Persons:1", "--reference", "R", "--yes")
        assert "'x' is no key" in self.fails("zoo.Person:x", "--reference", "R", "--yes")
        assert "not in the database" in self.fails("zoo.Person:0", "--reference", "R", "--yes")
        assert "is no duration" in self.fails(row, "--reference", "R", "--grace", "soon", "--yes")
        assert "longer than" in self.fails(row, "--reference", "R", "--grace", "7d", "--yes")
        assert "Did you mean" in self.fails(row, "--reference", "R", "--policy", "peple", "--yes")
        assert "No erasure has the reference 'R'" in self.fails("--show", "R")
        assert untouched(person)
