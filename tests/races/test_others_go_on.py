"""One row that cannot go, or that nobody can read, does not stop the others."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from lifecycle import hold, live, release
from lifecycle.ledger.policy_states import pause, resume
from lifecycle.models import AgendaEntry, Event
from purge.models import Run
from purge.runner import run_due
from tests.support import events_of, kinds, let_pass, run_until_idle
from tests.zoo.factories import (
    AttachmentFactory,
    ContractFactory,
    ExpiredCommentFactory,
    ExpiredCouponFactory,
    ExpiredDraftFactory,
    ExpiredOrderFactory,
    ExpiredPreferenceFactory,
    ExpiredReportFactory,
    ExpiredTicketFactory,
    ExpiredTokenFactory,
    LineFactory,
    LiveTokenFactory,
    UnparsablePreferenceFactory,
)
from tests.zoo.models import (
    Comment,
    Coupon,
    Document,
    Draft,
    Line,
    Order,
    Preference,
    Ticket,
    Token,
)

pytestmark = pytest.mark.django_db(transaction=True)


def execute(sql: str, *params: object) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params or None)
        return cursor.fetchall() if cursor.description else []


def set_text(model: type, key: object, column: str, moment: str) -> None:
    """A moment that Python cannot hold."""
    table = connection.ops.quote_name(model._meta.db_table)
    execute(f"UPDATE {table} SET {column} = '{moment}' WHERE id = %s", key)


def test_all_of_them_at_once() -> None:
    odd, bc = ExpiredTicketFactory(), ExpiredTicketFactory()
    set_text(Ticket, odd.pk, "expires_at", "-infinity")
    set_text(Ticket, bc.pk, "expires_at", "0044-03-15 12:00:00+00 BC")
    never, far = LiveTokenFactory(), LiveTokenFactory()
    set_text(Token, never.pk, "expires_at", "infinity")
    set_text(Token, far.pk, "expires_at", "23456-01-01 00:00:00+00")
    unreadable = UnparsablePreferenceFactory()
    readable = ExpiredPreferenceFactory()
    contract = ContractFactory()
    free = ExpiredDraftFactory()
    Coupon.objects.bulk_create(ExpiredCouponFactory.build_batch(1_000))
    pause("coupons")
    tokens = ExpiredTokenFactory.create_batch(3)
    run_until_idle()
    let_pass(timedelta(hours=2))
    run_until_idle()

    assert not Ticket.objects.exists()
    assert {*Token.objects.values_list("pk", flat=True)} == {never.pk, far.pk}
    assert all(events_of(token, "purged") for token in tokens)
    assert list(Preference.objects.all()) == [unreadable]
    assert events_of(readable, "purged") == ["purged"]
    assert list(Draft.objects.all()) == [contract.draft]
    assert events_of(free, "purged") == ["purged"]
    assert events_of(unreadable, "blocked")
    assert events_of(contract.draft, "blocked")
    assert Coupon.objects.count() == 1_000
    assert not Run.objects.exclude(error="").exists()
    resume("coupons")
    run_until_idle()
    assert not Coupon.objects.exists()
    assert list(Event.objects.all())  # Python can read all of them
    assert list(AgendaEntry.objects.all())


BEFORE_TIME = ["-infinity", "4713-01-01 00:00:00+00 BC", "0044-03-15 12:00:00+00 BC"]


@pytest.mark.parametrize("moment", BEFORE_TIME)
def test_a_row_from_before_time_goes_also_by_djangos_collector(moment: str) -> None:
    """Nobody has to read what Python cannot hold."""
    draft, report = ExpiredDraftFactory(), ExpiredReportFactory()
    set_text(Draft, draft.pk, "created_at", moment)
    set_text(Document, report.pk, "expires_at", moment)
    run_until_idle()
    assert events_of(draft, "tombstoned", "blocked") == ["tombstoned"]
    let_pass(timedelta(hours=2))
    run_until_idle()
    assert events_of(draft, "purged", "blocked") == ["purged"]
    assert events_of(report, "purged", "blocked") == ["purged"]
    assert not Document.objects.exists()


def test_what_is_protected_is_named_and_no_value_is() -> None:
    contract = ContractFactory(draft__title="a secret title")
    others = ExpiredDraftFactory.create_batch(4)
    run_due()
    let_pass(timedelta(hours=2))
    run_due()
    assert list(Draft.objects.all()) == [contract.draft]
    assert all(events_of(other, "purged") for other in others)
    told = Event.objects.get(kind="blocked")
    assert told.detail["by"] == [f"zoo.Contract:{contract.pk}"]
    assert told.detail["error"] == "ProtectedError"
    assert "secret" not in str(list(Event.objects.values()))
    contract.delete()
    let_pass(timedelta(minutes=2))
    run_until_idle()
    assert not Draft.objects.exists()


@pytest.fixture(params=["NOT DEFERRABLE", "DEFERRABLE INITIALLY DEFERRED"])
def foreign_table(request: pytest.FixtureRequest) -> Iterator[None]:
    """A table of somebody else's that refers to tickets and orders."""
    execute(
        "CREATE TABLE zoo_foreign (id int PRIMARY KEY, secret text,"
        f" ticket uuid CONSTRAINT foreign_ticket REFERENCES zoo_ticket {request.param},"
        f" order_id bigint CONSTRAINT foreign_order REFERENCES zoo_order {request.param})"
    )
    yield
    execute("DROP TABLE zoo_foreign")


@pytest.mark.usefixtures("foreign_table")
def test_a_foreign_key_that_django_does_not_know_blocks_by_its_name() -> None:
    Ticket.objects.bulk_create(ExpiredTicketFactory.build_batch(20))
    kept = Ticket.objects.order_by("pk")[7]
    execute("INSERT INTO zoo_foreign VALUES (1, 'hush', %s, NULL)", kept.pk)
    run_due()
    assert list(Ticket.objects.all()) == [kept]
    told = Event.objects.get(kind="blocked")
    assert told.subjects == [str(kept.pk)]
    assert told.detail["constraint"] == "foreign_ticket"
    assert told.detail["table"] == "zoo_foreign"
    assert "hush" not in str(list(Event.objects.values()))
    execute("DELETE FROM zoo_foreign")
    let_pass(timedelta(minutes=2))
    run_until_idle()
    assert not Ticket.objects.exists()


@pytest.mark.usefixtures("foreign_table")
def test_the_same_where_django_collects_the_rows() -> None:
    lines = [LineFactory(order__grace=timedelta(0)) for _ in range(5)]
    kept = lines[2].order
    execute("INSERT INTO zoo_foreign VALUES (1, 'hush', NULL, %s)", kept.pk)
    run_due()
    assert list(Order.objects.all()) == [kept]
    assert list(Line.objects.all()) == [lines[2]]
    assert Event.objects.get(kind="blocked").detail["constraint"] == "foreign_order"


def test_a_held_child_blocks_its_parent_and_nothing_else() -> None:
    lines = [LineFactory(order__grace=timedelta(0)) for _ in range(3)]
    hold(lines[1])
    run_due()
    assert list(Order.objects.all()) == [lines[1].order]
    assert Event.objects.get(kind="blocked").detail["by"] == [f"zoo.Line:{lines[1].pk}"]


def test_a_hold_counts_also_where_only_the_database_cascades() -> None:
    """A foreign key of which Django knows nothing would take a held row along."""
    execute("ALTER TABLE zoo_token ADD ticket uuid REFERENCES zoo_ticket ON DELETE CASCADE")
    try:
        kept, free = ExpiredTicketFactory.create_batch(2)
        held, goes = LiveTokenFactory.create_batch(2)
        execute("UPDATE zoo_token SET ticket = %s WHERE id = %s", kept.pk, held.pk)
        execute("UPDATE zoo_token SET ticket = %s WHERE id = %s", free.pk, goes.pk)
        hold(held)
        run_due()
        assert (list(Ticket.objects.all()), list(Token.objects.all())) == ([kept], [held])
        assert events_of(kept, "blocked") == ["blocked"]
        release(held)
        let_pass(timedelta(minutes=2))
        run_until_idle()
        assert not Token.objects.exists()
    finally:
        execute("ALTER TABLE zoo_token DROP COLUMN ticket")


def test_a_held_policy_on_the_children_blocks_their_parent() -> None:
    attachment = AttachmentFactory()
    hold("attachments")
    run_due()
    assert Event.objects.get(kind="blocked").detail["by"] == [f"zoo.Attachment:{attachment.pk}"]
    release("attachments")
    let_pass(timedelta(minutes=2))
    run_until_idle()
    assert not Comment.objects.exists()


def test_a_held_answer_blocks_the_comment_above_it() -> None:
    """It is a row of the same table, due or not."""
    comment = ExpiredCommentFactory()
    answer = ExpiredCommentFactory(above=comment, expires_at=None)
    free = ExpiredCommentFactory()
    below = ExpiredCommentFactory(above=free, expires_at=None)
    hold(answer)
    run_due()
    assert set(Comment.objects.all()) == {comment, answer}
    along = Event.objects.get(kind="purged", cause="cascade")
    assert (along.model, along.subjects) == ("zoo.comment", [str(below.pk)])
    assert Event.objects.get(kind="blocked").detail["by"] == [f"zoo.Comment:{answer.pk}"]
    release(answer)
    let_pass(timedelta(minutes=2))
    run_until_idle()
    assert not Comment.objects.exists()


def test_a_child_whose_hold_has_ended_blocks_nothing() -> None:
    line = LineFactory(order__grace=timedelta(0))
    hold(line, until=timezone.now() + timedelta(minutes=30))
    let_pass(timedelta(hours=1))
    run_due()
    assert not Order.objects.exists()


def test_what_is_blocked_is_tried_less_and_less_often() -> None:
    ContractFactory()
    run_due()
    waits = []
    for _ in range(4):
        let_pass(timedelta(hours=2))
        run_due()
        entry = AgendaEntry.objects.get()
        told = Event.objects.get(pk=entry.event_id)
        waits.append((entry.due_at - told.recorded_at).total_seconds() // 60 + 1)
    assert waits == [1, 2, 4, 8]


@pytest.mark.slow
def test_many_blocked_rows_do_not_hold_up_the_others() -> None:
    for _ in range(150):
        ContractFactory()
    ExpiredDraftFactory.create_batch(50)
    run_due()
    let_pass(timedelta(hours=2))
    run_until_idle()
    assert Draft.objects.count() == 150
    assert Event.objects.filter(kind="blocked").count() == 150


def test_an_expression_that_fails_does_not_fail_the_hosts_write() -> None:
    rows = [
        Preference(created_at=timezone.now() - timedelta(days=2), data={"days": days})
        for days in (1, "secret-number", 1)
    ]
    Preference.objects.bulk_create(rows)
    assert kinds() == ["capture_failed"]
    told = Event.objects.get(kind="capture_failed")
    assert (told.count, told.detail) == (3, {"sqlstate": "22P02", "again": True})
    run_until_idle()
    assert list(Preference.objects.all()) == [rows[1]]
    assert "secret" not in str(list(Event.objects.values()))
    Preference.objects.update(data={"days": 1})
    let_pass(timedelta(minutes=5))
    run_until_idle()
    assert not Preference.objects.exists()


def test_rows_beside_a_failing_one_end_at_their_time() -> None:
    rows = [
        Preference(created_at=timezone.now() - timedelta(hours=hours), data={"days": days})
        for hours, days in ((23, 1), (23, "x"), (22, 1))
    ]
    Preference.objects.bulk_create(rows)
    run_until_idle()
    assert Preference.objects.count() == 3
    let_pass(timedelta(hours=1, seconds=5))
    run_until_idle()
    assert list(Preference.objects.order_by("pk")) == rows[1:]
    let_pass(timedelta(hours=1))
    run_until_idle()
    assert list(Preference.objects.all()) == [rows[1]]


def test_an_update_that_makes_the_expression_fail() -> None:
    row = ExpiredPreferenceFactory(data={"days": 9})
    Preference.objects.update(data={"days": "x"})
    Preference.objects.update(data={"days": 1})
    run_until_idle()
    assert events_of(row)[-1] == "purged"


def test_a_sum_out_of_range_is_a_failing_expression() -> None:
    row = ExpiredPreferenceFactory(data={"days": 10**9})
    assert events_of(row) == ["capture_failed"]
    run_until_idle()
    assert events_of(row)[-1] == "blocked"


def test_live_reads_rows_that_end_before_and_after_all_time() -> None:
    early, late = ExpiredOrderFactory(), ExpiredOrderFactory()
    set_text(Order, early.pk, "expires_at", "-infinity")
    set_text(Order, late.pk, "expires_at", "infinity")
    assert list(live(Order).values_list("pk", flat=True)) == [late.pk]
