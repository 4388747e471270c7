"""One act on many rows by a plan: what it finds, what it refuses, that it does just that, once."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models.signals import pre_delete
from django.utils import timezone

import purge
from lifecycle import context, hold, hold_rows, holds, live, release, restore
from lifecycle.exceptions import LifecycleError
from lifecycle.ledger.policy_states import pause, resume
from lifecycle.models import Event, RowException
from lifecycle.policy.registry import get_policy
from purge.batch import run as batching
from purge.exceptions import PlanAltered
from purge.models import Plan, PlanPart, Total
from purge.plans import carry_out as carrying
from purge.plans import make as making
from purge.plans.carry_out import carry_out, waiting
from purge.plans.telling import as_text, sample_of
from purge.plans.withdraw import forget_old
from purge.sources import versions
from purge.sources.versions import Epoch
from tests.support import events_of, let_pass, run_until_idle, session, wait_until
from tests.zoo.models import (
    Account,
    Badge,
    Comment,
    Coupon,
    Draft,
    Knock,
    Line,
    Order,
    Person,
    Picture,
    Reading,
    Report,
    Sensor,
    Ticket,
    Token,
)

pytestmark = pytest.mark.django_db(transaction=True)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SOON = timedelta(milliseconds=300)


def tokens(count: int, **more: Any) -> list[Token]:
    later = timezone.now() + 30 * DAY
    return [Token.objects.create(expires_at=later, label="t", **more) for _ in range(count)]


def orders(count: int) -> list[Order]:
    """Each with two lines."""
    later = timezone.now() + DAY
    made = [Order.objects.create(expires_at=later, grace=DAY) for _ in range(count)]
    for each in (*made, *made):
        Line.objects.create(order=each)
    return made


@contextmanager
def listening(model: Any) -> Iterator[None]:
    """Somebody wants to see each row go: Django's collector does it."""
    hear = lambda **_: None  # noqa: E731
    pre_delete.connect(hear, sender=model, weak=False)
    try:
        yield
    finally:
        pre_delete.disconnect(hear, sender=model)


def plan(act: str, rows: Any, **more: Any) -> Plan:
    return purge.plan(act, rows, **({"reason": "ticket 7", "actor": "jo"} | more))


def apply(made: Plan, **more: Any) -> Plan:
    how = {"confirm": made.rows, "actor": "jo", "now": True} | more
    return purge.apply_plan(made.pk, **how)


def left_of(made: Plan) -> dict[str, list[str]]:
    return PlanPart.objects.get(plan=made).left


class TestPurge:
    def test_rows_that_were_planned_go_and_no_others(self) -> None:
        first, second, other = tokens(3)
        made = plan("purge", Token.objects.exclude(pk=other.pk), policy="tokens")
        newer = tokens(1)[0]
        assert Token.objects.count() == 4, "a plan does nothing"
        done = apply(made)
        assert list(Token.objects.order_by("pk")) == [other, newer]
        assert (done.state, done.acted, done.left) == ("done", 2, {})
        assert events_of(first)[-2:] == ["expired_by_hand", "purged"]
        assert {e.actor for e in Event.objects.filter(kind="purged")} == {"jo"}
        purged = Event.objects.get(kind="purged")
        assert purged.detail == {"plan": done.applied, "grace_skipped": True}
        assert not RowException.objects.exists()
        assert second.pk

    def test_what_changed_since_is_left_out_and_listed(self) -> None:
        changed, same, gone, again, held, restored = tokens(6)
        made = plan("purge", Token.objects.all(), policy="tokens")
        changed.save()  # the same values: it was written
        numbers = gone.pk, again.pk
        gone.delete()
        again.delete()
        Token.objects.create(pk=numbers[1], expires_at=again.expires_at, label="t")
        hold(held, reason="case")
        restore(restored, policy="tokens")
        done = apply(made)
        assert not Token.objects.filter(pk=same.pk).exists()
        assert left_of(made) == {
            "changed": [str(changed.pk), str(numbers[1])], "gone": [str(numbers[0])],
            "held": [str(held.pk)], "free": [str(restored.pk)],
        }  # fmt: skip
        assert (done.acted, sum(done.left.values())) == (1, 5)

    def test_a_row_that_somebody_writes_is_left_out(self) -> None:
        locked, same = tokens(2)
        made = plan("purge", Token.objects.all(), policy="tokens")
        with session() as other:
            other.execute("BEGIN")
            other.execute("SELECT FROM zoo_token WHERE id = %s FOR UPDATE", [locked.pk])
            apply(made)
            other.execute("ROLLBACK")
        assert same.pk
        assert list(Token.objects.all()) == [locked]
        assert left_of(made) == {"locked": [str(locked.pk)]}

    def test_the_first_rows_of_a_query(self) -> None:
        rows = tokens(3)
        made = plan("purge", Token.objects.order_by("-pk")[:2], policy="tokens")
        apply(made)
        assert list(Token.objects.all()) == rows[:1]

    def test_a_row_that_was_only_locked_is_as_it_was(self) -> None:
        row = tokens(1)[0]
        made = plan("purge", Token.objects.all(), policy="tokens")
        for text in (
            "SELECT FROM zoo_token WHERE id = %s FOR UPDATE",
            "SELECT FROM zoo_token WHERE id = %s FOR KEY SHARE",
        ):
            with session() as other:
                other.execute(text, [row.pk])
        with session() as other:
            other.execute("UPDATE zoo_token SET label = 'u' WHERE id = %s", [row.pk])
            other.rollback()
        with connection.cursor() as cursor:
            cursor.execute("VACUUM (FREEZE) zoo_token")
        assert apply(made).acted == 1

    def test_rows_outside_when_are_not_in_it(self) -> None:
        tokens(1)
        tokens(1, active=False)
        assert plan("purge", Token.objects.all(), policy="tokens").rows == 1

    def test_it_shows_what_goes_along(self) -> None:
        order = Order.objects.create(expires_at=timezone.now() + DAY, grace=DAY)
        Line.objects.create(order=order)
        Line.objects.create(order=order)
        made = plan("purge", Order.objects.all())
        assert made.shown["along"] == {"zoo.line": 2}
        assert sample_of(made) == [f"zoo.Order:{order.pk}"]
        assert made.shown["would"] == {"purged": 1}
        assert Order.objects.exists()
        apply(made)
        assert not Order.objects.exists()
        assert not Line.objects.exists()

    @pytest.mark.parametrize("heard", [False, True])
    def test_a_row_stays_with_which_one_would_go_that_was_written_since(self, heard: bool) -> None:
        changed, newer, fewer, _ = orders(4)
        made = plan("purge", Order.objects.all())
        Line.objects.filter(order=changed)[0].save()  # the same values
        Line.objects.create(order=newer)
        Line.objects.filter(order=fewer)[0].delete()
        with listening(Line) if heard else nullcontext():
            done = apply(made)
        assert set(Order.objects.all()) == {changed, newer}
        assert left_of(made) == {"along": [str(pk) for pk in sorted((changed.pk, newer.pk))]}
        assert (done.acted, done.left) == (2, {"along": 2})
        assert Line.objects.count() == 5

    def test_what_was_being_written_when_it_was_made_has_been_written_since(self) -> None:
        """In a transaction, and in a savepoint of it, whose number no snapshot has."""
        first, second, before = orders(3)
        with session() as other:
            other.execute("BEGIN")
            other.execute("INSERT INTO zoo_line (order_id) VALUES (%s)", [first.pk])
            other.execute("SAVEPOINT one")
            other.execute("INSERT INTO zoo_line (order_id) VALUES (%s)", [second.pk])
            other.execute("RELEASE one")
            Line.objects.create(order=before)  # a later number, and committed
            made = plan("purge", Order.objects.all())
            other.execute("COMMIT")
        apply(made)
        assert left_of(made) == {"along": [str(first.pk), str(second.pk)]}
        assert set(Order.objects.all()) == {first, second}

    def test_where_too_much_is_under_way_what_was_written_meanwhile_counts(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(versions, "MOST_RUNNING", 0)
        _, newer = orders(2)
        with session() as other:
            other.execute("BEGIN")
            other.execute("INSERT INTO zoo_order DEFAULT VALUES")
            Line.objects.create(order=newer)
            made = plan("purge", Order.objects.all())
            other.execute("ROLLBACK")
        # Of the older one, too, where another test's transaction on this server is older still.
        assert apply(made).left in ({"along": 1}, {"along": 2})
        assert newer in Order.objects.all()

    @pytest.mark.slow
    def test_a_batch_that_takes_long_is_done_again_with_fewer_rows(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(batching, "ENOUGH", 0.0)
        made_rows = orders(9)
        made = plan("purge", Order.objects.all())
        for each in made_rows[2:9:3]:
            Line.objects.create(order=each)
        assert apply(made).left == {"along": 3}
        assert set(Order.objects.all()) == set(made_rows[2:9:3])
        assert Total.objects.get(policy="orders").batches > 1, "all nine were in one"

    def test_what_nobody_can_tell_of_rows_along(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A view has no versions: of rows that only are held it does not matter."""
        orders(1)
        monkeypatch.setattr(versions, "tables_reached", lambda model: ["seen_lines"])
        with connection.cursor() as cursor:
            cursor.execute("CREATE VIEW seen_lines AS SELECT * FROM zoo_line")
            try:
                with pytest.raises(LifecycleError, match="or one of rows that go along"):
                    plan("purge", Order.objects.all())
                assert plan("hold", Order.objects.all()).rows == 1
            finally:
                cursor.execute("DROP VIEW seen_lines")

    def test_a_foreign_key_that_takes_rows_along_came_since(self) -> None:
        orders(1)
        made = plan("purge", Order.objects.all())
        with connection.cursor() as cursor:
            cursor.execute(
                "CREATE TABLE tied_since (id int REFERENCES zoo_order ON DELETE CASCADE)"
            )
            try:
                with pytest.raises(LifecycleError, match="goes along with its rows"):
                    apply(made)
            finally:
                cursor.execute("DROP TABLE tied_since")
        assert apply(made).acted == 1

    def test_kept_and_blocked_rows_stay(self) -> None:
        now = timezone.now()
        kept, free = (Draft.objects.create(created_at=now) for _ in range(2))
        Picture.objects.create(draft=kept)
        made = plan("purge", Draft.objects.all())
        assert made.shown["would"] == {"purged": 1, "kept": 1}
        assert apply(made).left == {"kept": 1}
        assert list(Draft.objects.all()) == [kept]
        assert free.pk

    def test_an_update_updates(self) -> None:
        account = Account.objects.create(email="a@b.c", seen_at=timezone.now())
        apply(plan("purge", Account.objects.all()))
        account.refresh_from_db()
        assert (account.active, account.email) == (False, "")

    @pytest.mark.slow
    def test_other_keys_and_tables(self) -> None:
        later = timezone.now() + DAY
        Coupon.objects.create(code='a"b\\c, {d}', expires_at=later)
        Coupon.objects.create(code="", expires_at=later)
        Ticket.objects.create(expires_at=later)
        Sensor.objects.create(address="10.0.0.1", expires_at=later)
        Reading.objects.create(region="north", expires_at=later)
        Report.objects.create(expires_at=later)
        Knock.objects.create(until=later)
        for model in (Coupon, Ticket, Sensor, Reading, Report, Knock):
            made = plan("purge", model._default_manager.all())
            assert apply(made).left == {}, model
            assert not model._default_manager.exists()

    def test_a_change_of_the_parents_row_counts(self) -> None:
        report = Report.objects.create(expires_at=timezone.now() + DAY)
        made = plan("purge", Report.objects.all())
        with connection.cursor() as cursor:
            cursor.execute("UPDATE zoo_document SET expires_at = NULL")
        assert apply(made).left == {"changed": 1}
        assert Report.objects.filter(pk=report.pk).exists()

    def test_a_tree_goes_whole(self) -> None:
        top = Comment.objects.create(expires_at=timezone.now() + DAY)
        Comment.objects.create(above=top)
        apply(plan("purge", Comment.objects.all()))
        assert not Comment.objects.exists()

    def test_batch_by_batch(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(get_policy("tokens"), "batch_rows", 2)
        monkeypatch.setattr(making, "PART", 3)
        rows = tokens(8)
        hold(rows[3], reason="case")
        made = plan("purge", Token.objects.all(), policy="tokens")
        assert (made.parts.count(), made.rows) == (3, 8)
        assert apply(made).left == {"held": 1}
        assert list(Token.objects.all()) == [rows[3]]


class TestSaying:
    def test_hold_and_release(self) -> None:
        first, second = tokens(2)
        apply(plan("hold", Token.objects.all(), reference="CASE-1"))
        (held,) = holds()
        assert (held.rows, held.actor, held.reference) == (2, "jo", "CASE-1")
        made = plan("release", Token.objects.all(), reference="CASE-1")
        kept = hold(first, reason="another, placed since")
        assert apply(made).left == {}
        assert [each.number for each in holds()] == [kept]
        assert second.pk

    def test_a_hold_that_is_lifted_meanwhile(self) -> None:
        row = tokens(1)[0]
        hold_rows(Token.objects.all(), reason="case")
        made = plan("release", Token.objects.all())
        release(holds()[0].number)
        assert apply(made).left == {"released": 1}
        assert row.pk

    def test_rows_without_a_hold_are_not_in_a_release(self) -> None:
        tokens(1)
        with pytest.raises(LifecycleError, match=r"No row of zoo\.Token"):
            plan("release", Token.objects.all())

    def test_restore_and_extend(self) -> None:
        past = timezone.now() - 3 * DAY
        row = Draft.objects.create(created_at=past)
        run_until_idle()
        assert not live(Draft).exists()
        apply(plan("extend", Draft.objects.all(), until=timezone.now() + DAY))
        assert live(Draft).exists()
        let_pass(2 * DAY)
        run_until_idle()
        assert not live(Draft).exists()
        apply(plan("restore", Draft.objects.all()))
        assert live(Draft).exists()
        assert events_of(row).count("restored") == 2

    def test_what_changed_is_left_out(self) -> None:
        changed, same = tokens(2)
        made = plan("hold", Token.objects.all())
        changed.save()
        assert apply(made).left == {"changed": 1}
        assert holds()[0].key == str(same.pk)


class TestRefused:
    @pytest.mark.parametrize(
        ("act", "more", "says"),
        [
            ("burn", {}, "nothing that can be planned"),
            ("purge", {}, "several policies"),
            ("purge", {"policy": "no-such"}, "no-such"),
            ("hold", {"policy": "tokens"}, "leave the policy out"),
            ("hold", {"reason": " "}, "wants a reason"),
            ("hold", {"actor": ""}, "wants a name"),
            ("extend", {}, "until is of extend"),
            ("restore", {"until": timezone.now() + DAY}, "until is of extend"),
            ("hold", {"until": timezone.now() - DAY}, "has passed"),
            ("hold", {"until": datetime.max.replace(tzinfo=UTC)}, "no end"),
        ],
    )
    def test_a_plan(self, act: str, more: dict[str, Any], says: str) -> None:
        tokens(1)
        with pytest.raises(LifecycleError, match=says):
            plan(act, Token.objects.all(), **more)
        assert not Plan.objects.exists()
        assert not Event.objects.filter(kind="planned").exists()

    def test_rows_that_the_ledger_may_not_name(self) -> None:
        Badge.objects.create(secret="s", until=timezone.now())
        with pytest.raises(LifecycleError, match="secrets"):
            plan("hold", Badge.objects.all())

    def test_policies_that_end_rows_otherwise(self) -> None:
        Person.objects.create()
        with pytest.raises(LifecycleError, match="only on request"):
            plan("purge", Person.objects.all())

    def test_another_count(self) -> None:
        tokens(2)
        made = plan("purge", Token.objects.all(), policy="tokens")
        with pytest.raises(LifecycleError, match="has not 3 rows"):
            apply(made, confirm=3)
        assert Token.objects.count() == 2

    def test_twice(self) -> None:
        tokens(2)
        made = plan("purge", Token.objects.all(), policy="tokens")
        apply(made)
        tokens(1)
        with pytest.raises(LifecycleError, match="applied once"):
            apply(made)
        assert Token.objects.count() == 1

    def test_an_old_one(self) -> None:
        tokens(1)
        made = plan("hold", Token.objects.all())
        Plan.objects.update(made_at=timezone.now() - 8 * DAY)
        with pytest.raises(LifecycleError, match="older than 7 days"):
            apply(made)
        forget_old("default")
        last = Event.objects.filter(kind="planned").latest("id")
        assert (last.detail["step"], Plan.objects.get().state) == ("withdrawn", "withdrawn")

    @pytest.mark.parametrize("lost", [{"model": "zoo.nothing"}, {"policy": "nothing"}])
    def test_an_old_one_of_what_has_left_the_code_stops_no_other(
        self, lost: dict[str, str], caplog: pytest.LogCaptureFixture
    ) -> None:
        tokens(1)
        first, last = (plan("hold", Token.objects.all()) for _ in range(2))
        Plan.objects.filter(pk=first.pk).update(**lost)
        Plan.objects.update(made_at=timezone.now() - 8 * DAY)
        forget_old("default")
        states = dict(Plan.objects.values_list("pk", "state"))
        assert states[last.pk] == "withdrawn"
        assert states[first.pk] == ("withdrawn" if "model" in lost else "made")
        failed = [each for each in caplog.records if "withdrawing it has failed" in each.message]
        assert len(failed) == ("policy" in lost)

    def test_a_policy_that_is_stopped(self) -> None:
        tokens(1)
        made = plan("purge", Token.objects.all(), policy="tokens")
        pause("tokens", actor="jo")
        with pytest.raises(LifecycleError, match="paused"):
            apply(made)
        resume("tokens", actor="jo")
        assert apply(made).acted == 1

    def test_more_than_the_cap_leaves(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(get_policy("tokens"), "cap_rows", 1)
        monkeypatch.setattr(get_policy("tokens"), "cap_fraction", 0)
        tokens(2)
        made = plan("purge", Token.objects.all(), policy="tokens")
        with pytest.raises(LifecycleError, match="the cap of tokens"):
            apply(made)
        assert Token.objects.count() == 2

    def test_a_policy_that_was_declared_otherwise(self) -> None:
        tokens(1)
        made = plan("purge", Token.objects.all(), policy="tokens")
        Plan.objects.update(fingerprint="f" * 16)
        with pytest.raises(LifecycleError):
            apply(made)

    @pytest.mark.parametrize("act", ["hold", "extend"])
    def test_one_until_a_moment_that_has_passed(self, act: str) -> None:
        tokens(1)
        policy = "tokens" if act == "extend" else ""
        made = plan(act, Token.objects.all(), policy=policy, until=timezone.now() + SOON)
        wait_until(lambda: timezone.now() > made.until)
        with pytest.raises(LifecycleError, match="until has passed"):
            apply(made)

    def test_nobody(self) -> None:
        tokens(1)
        made = plan("hold", Token.objects.all())
        with pytest.raises(LifecycleError, match="who does this"):
            apply(made, actor="")

    def test_one_that_was_withdrawn(self) -> None:
        tokens(1)
        made = plan("hold", Token.objects.all(), asked=[("label__exact", "t")])
        assert purge.withdraw_plan(made.pk, actor="jo").asked == []
        with pytest.raises(LifecycleError, match="withdrawn"):
            apply(made)


def test_the_worker_itself_asks_for_the_second_person(settings: Any) -> None:
    """The process in which it was applied may have been told otherwise, or be somebody else's."""
    tokens(1)
    made = plan("purge", Token.objects.all(), policy="tokens")
    apply(made, now=False)
    settings.LIFECYCLE_TWO_PERSON = True
    with pytest.raises(PlanAltered):
        carry_out(made.pk)
    assert Token.objects.exists()


def test_one_that_is_withdrawn_in_the_middle_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "PART", 2)
    tokens(5)
    made = plan("hold", Token.objects.all())
    found = apply(made, now=False)
    assert carrying._say_next(found, "default")
    purge.withdraw_plan(made.pk, "kim")
    assert not carrying._say_next(found, "default")
    assert not carry_out(made.pk)
    assert sum(each.rows for each in holds()) == 2


def test_the_rows_that_are_shown_are_those_of_its_parts() -> None:
    """What is noted beside is of a table that who makes plans writes, and is in no hash."""
    row = tokens(1)[0]
    made = plan("hold", Token.objects.filter(pk=row.pk))
    Plan.objects.update(shown={"sample": ["zoo.Token:4711"]})
    made.refresh_from_db()
    assert f"zoo.Token:{row.pk}" in as_text(made)
    assert "4711" not in as_text(made)


class TestTwoPersons:
    @pytest.fixture(autouse=True)
    def _wanted(self, settings: Any) -> None:
        settings.LIFECYCLE_TWO_PERSON = True

    def test_another_person_approves(self) -> None:
        tokens(1)
        made = plan("hold", Token.objects.all())
        with pytest.raises(LifecycleError, match="a second person"):
            apply(made)
        with pytest.raises(LifecycleError, match="jo made plan"):
            purge.approve_plan(made.pk, actor="jo")
        purge.approve_plan(made.pk, actor="kim")
        assert apply(made).state == "done"
        steps = Event.objects.filter(kind="planned").order_by("id")
        assert [(each.actor, each.detail["step"]) for each in steps] == [
            ("jo", "made"), ("kim", "approved"), ("jo", "applied"), ("jo", "done"),
        ]  # fmt: skip

    @pytest.mark.parametrize("same", ["Jo", " jo", "jo ", "JO", "j\u200bo", "\uff4a\uff4f"])
    def test_the_same_name_written_otherwise_is_no_other_person(self, same: str) -> None:
        tokens(1)
        made = plan("hold", Token.objects.all())
        with pytest.raises(LifecycleError, match="made plan"):
            purge.approve_plan(made.pk, actor=same)
        with context(actor=same):
            event = making.step_of(made, "approved", "default")
        Plan.objects.update(approved=event, approver=same)
        with pytest.raises(LifecycleError, match="a second person"):
            apply(made)

    @pytest.mark.parametrize("nobody", [" ", "\t", "\u200b"])
    def test_a_name_of_spaces_is_nobodys(self, nobody: str) -> None:
        tokens(1)
        with pytest.raises(LifecycleError, match="wants a name"):
            plan("hold", Token.objects.all(), actor=nobody)
        made = plan("hold", Token.objects.all())
        with pytest.raises(LifecycleError, match="who does this"):
            purge.approve_plan(made.pk, actor=nobody)

    def test_the_ledger_says_so_not_the_plans_row(self) -> None:
        tokens(1)
        made = plan("hold", Token.objects.all())
        other = plan("hold", Token.objects.all())
        purge.approve_plan(other.pk, actor="kim")
        approved = Plan.objects.get(pk=other.pk).approved
        Plan.objects.filter(pk=made.pk).update(approver="kim", approved=approved, maker="ann")
        with pytest.raises((LifecycleError, PlanAltered)):
            apply(made)
        assert holds() == []


class TestAltered:
    """The plan's row and parts are a table like others: what counts is what the ledger says."""

    @pytest.mark.parametrize(
        "text",
        [
            "UPDATE purge_plan_part SET"
            " keys = array_append(keys, (SELECT max(id)::text FROM zoo_token)),"
            " versions = array_append(versions, versions[1])",
            "UPDATE purge_plan_part SET versions = ARRAY['1']",
            "UPDATE purge_plan SET act = 'release'",
            "UPDATE purge_plan SET policy = 'tokens-short'",
            "DELETE FROM purge_plan_part",
        ],
    )
    def test_before_it_is_applied(self, text: str) -> None:
        first, _ = tokens(2)
        made = plan("purge", Token.objects.filter(pk=first.pk), policy="tokens")
        with connection.cursor() as cursor:
            cursor.execute(text)
        with pytest.raises(PlanAltered):
            apply(made)
        assert Token.objects.count() == 2

    def test_while_it_is_applied(self) -> None:
        first, _ = tokens(2)
        made = plan("purge", Token.objects.filter(pk=first.pk), policy="tokens")
        apply(made, now=False)
        PlanPart.objects.update(versions=["1"])
        with pytest.raises(PlanAltered):
            carry_out(made.pk)
        assert Token.objects.count() == 2
        assert Plan.objects.get().state == "withdrawn"
        assert waiting("default") == []

    @pytest.mark.parametrize("act", ["hold", "purge", "restore"])
    def test_parts_that_are_noted_as_done_and_are_not(self, act: str) -> None:
        """By whoever may write the table: the ledger says of no row that it was done."""
        tokens(2)
        made = plan(act, Token.objects.all(), **({"policy": "tokens"} if act == "purge" else {}))
        apply(made, now=False)
        PlanPart.objects.update(done=1)
        with pytest.raises(PlanAltered):
            carry_out(made.pk)
        assert Plan.objects.get().state == "withdrawn"
        assert not Event.objects.filter(kind="planned", detail__step="done").exists()

    @pytest.mark.parametrize("act", ["hold", "purge"])
    def test_a_plan_that_was_withdrawn_and_is_back(self, act: str) -> None:
        """As a restore brings it back, or a hand: what the ledger says of it counts."""
        tokens(1)
        made = plan(act, Token.objects.all(), **({"policy": "tokens"} if act == "purge" else {}))
        apply(made, now=False)
        purge.withdraw_plan(made.pk, "kim")
        Plan.objects.update(state="applying")
        with pytest.raises(PlanAltered):
            carry_out(made.pk)
        assert Token.objects.exists()
        assert holds() == []
        assert waiting("default") == []

    def test_a_plan_that_is_done_and_is_back(self) -> None:
        tokens(1)
        made = plan("hold", Token.objects.all())
        apply(made)
        release(Token.objects.get())
        Plan.objects.update(state="applying")
        PlanPart.objects.update(done=0)
        with pytest.raises(PlanAltered):
            carry_out(made.pk)
        assert holds() == []

    def test_a_plan_that_was_withdrawn_before_it_was_applied(self) -> None:
        tokens(1)
        made = plan("hold", Token.objects.all())
        purge.withdraw_plan(made.pk, "kim")
        Plan.objects.update(state="made")
        with pytest.raises(LifecycleError, match="is over"):
            apply(made)
        assert holds() == []

    @pytest.mark.parametrize("act", ["purge", "hold"])
    def test_while_a_worker_is_at_it(self, act: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """After the worker has compared the hash: the part and what is to be compared with it."""
        first, other = tokens(2)
        policy = "tokens" if act == "purge" else ""
        made = plan(act, Token.objects.filter(pk=first.pk), policy=policy)
        wanted = plan(act, Token.objects.filter(pk=other.pk), policy=policy)
        apply(made, now=False)
        begun = carrying.begun

        def then_altered(*args: Any) -> Any:
            found = begun(*args)
            part = PlanPart.objects.filter(plan=wanted).values("keys", "versions", "epoch", "since")
            PlanPart.objects.filter(plan=made).update(**part.get())
            Plan.objects.filter(pk=made.pk).update(digests=making.digests(made.pk, "default"))
            return found

        monkeypatch.setattr(carrying, "begun", then_altered)
        with pytest.raises(PlanAltered):
            carry_out(made.pk)
        assert (Token.objects.count(), holds()) == (2, [])

    @pytest.mark.parametrize("over", [apply, lambda made: purge.withdraw_plan(made.pk, "jo")])
    @pytest.mark.parametrize("state", ["made", "applying"])
    def test_one_that_is_over_is_not_begun_anew(self, over: Any, state: str) -> None:
        row = tokens(1)[0]
        hold(row, reason="case")
        made = plan("purge", Token.objects.all(), policy="tokens")
        apply(made, now=False)
        over(made)
        release(row)
        Plan.objects.update(state=state)
        PlanPart.objects.update(done=0)
        with pytest.raises(LifecycleError):
            apply(made) if state == "made" else carry_out(made.pk)
        assert Token.objects.exists()

    def test_its_age_is_what_the_ledger_says(self) -> None:
        tokens(1)
        made = plan("hold", Token.objects.all())
        let_pass(8 * DAY)
        Plan.objects.update(made_at=timezone.now() + DAY)
        with pytest.raises(LifecycleError, match="older than 7 days"):
            apply(made)
        assert holds() == []

    def test_parts_that_are_missing_are_not_done(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(making, "PART", 1)
        tokens(2)
        made = plan("hold", Token.objects.all())
        apply(made, now=False)
        PlanPart.objects.filter(number=1).delete()
        with pytest.raises(PlanAltered):
            carry_out(made.pk)
        steps = [each.detail["step"] for each in Event.objects.filter(kind="planned")]
        assert sorted(steps) == ["applied", "made", "withdrawn"]

    def test_who_has_it_done_is_who_the_ledger_says(self) -> None:
        tokens(1)
        made = plan("hold", Token.objects.all())
        apply(made, now=False)
        Plan.objects.update(applier="kim")
        carry_out(made.pk)
        assert holds()[0].actor == "jo"

    def test_a_plan_that_nobody_applied(self) -> None:
        tokens(1)
        made = plan("purge", Token.objects.all(), policy="tokens")
        Plan.objects.update(state="applying", applied=made.made)
        with pytest.raises(PlanAltered):
            carry_out(made.pk)
        assert Token.objects.exists()

    def test_a_restarted_server_is_another_epoch(self) -> None:
        tokens(1)
        made = plan("purge", Token.objects.all(), policy="tokens")
        part = PlanPart.objects.get()
        part.epoch = "1 1"
        part.save()
        found = making.digests(made.pk, "default")
        assert found != made.digests
        seen = carrying.classify(
            Token, "default", part.keys, part.versions, Epoch("1 1", part.since)
        )
        assert seen.same == set()


class TestLedger:
    def test_no_value_of_a_condition(self) -> None:
        tokens(1)
        made = plan("hold", Token.objects.all(), asked=[("label__exact", "secret-name")])
        assert Plan.objects.get().asked == [["label__exact", "secret-name"]]
        apply(made)
        planned = Event.objects.filter(kind="planned")
        assert {tuple(each.detail["asked"]) for each in planned} == {("label__exact",)}
        assert "secret-name" not in str(list(Event.objects.values()))
        assert Plan.objects.get().asked == [], "the values go when the plan is over"

    def test_the_hash_is_not_of_a_value(self) -> None:
        tokens(1)
        made = plan("hold", Token.objects.all(), asked=[("label__exact", "a")])
        before = making.hash_of(made, made.digests)
        made.asked = [["label__exact", "b"]]
        assert making.hash_of(made, made.digests) == before == made.hash
