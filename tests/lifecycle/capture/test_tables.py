"""Every kind of table and key reaches the ledger, and its rows end."""

import uuid
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from lifecycle import Signals, context
from lifecycle.models import AgendaEntry, Event
from lifecycle.policy.policy import Policy
from lifecycle.policy.registry import all_policies
from tests.support import events_of, kinds, run_until_idle
from tests.zoo.factories import (
    ExpiredCouponFactory,
    ExpiredLegacyFactory,
    ExpiredReadingFactory,
    ExpiredReportFactory,
    ExpiredTicketFactory,
    ExpiredTokenFactory,
    LiveTokenFactory,
)
from tests.zoo.models import Coupon, Document, Legacy, Reading, Report, Ticket, Token

pytestmark = pytest.mark.django_db(transaction=True)

LATER = timezone.now() + timedelta(days=9)


def execute(sql: str, *params: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, params or None)


def event(kind: str = "expiry_scheduled") -> Event:
    return Event.objects.get(kind=kind)


def test_uuid_keys() -> None:
    tickets = ExpiredTicketFactory.create_batch(3)
    Ticket.objects.bulk_create([Ticket(id=uuid.UUID(int=7), expires_at=LATER)])
    assert Event.objects.latest("id").subjects_uuid == [uuid.UUID(int=7)]
    run_until_idle()
    assert Ticket.objects.get().pk == uuid.UUID(int=7)
    assert all(events_of(ticket, "purged") for ticket in tickets)


AWKWARD = ["", " ", "a,b", '"quoted"', "back\\slash", "{brace}", "NULL", "l'été", "%s", "😀", "1"]


@pytest.mark.parametrize("together", [True, False], ids=["one statement", "one by one"])
def test_text_keys_of_every_form(together: bool) -> None:
    coupons = [ExpiredCouponFactory.build(code=code) for code in AWKWARD]
    if together:
        Coupon.objects.bulk_create(coupons)
    else:
        for coupon in coupons:
            coupon.save(force_insert=True)
    run_until_idle()
    assert not Coupon.objects.exists()
    assert all(events_of(coupon) == ["expiry_scheduled", "purged"] for coupon in coupons)


def test_negative_integer_keys() -> None:
    tokens = [ExpiredTokenFactory.build(id=key) for key in (-(2**63), -1, 0, 2**63 - 1)]
    Token.objects.bulk_create(tokens)
    run_until_idle()
    assert not Token.objects.exists()
    assert event().subjects == [str(token.pk) for token in tokens]


def test_a_parents_column_and_a_childs_column_decide() -> None:
    kept = ExpiredReportFactory(draft=False)
    extended = ExpiredReportFactory()
    Document.objects.filter(pk=extended.pk).update(expires_at=LATER)
    later = ExpiredReportFactory(expires_at=LATER)
    Document.objects.filter(pk=later.pk).update(expires_at=timezone.now() - timedelta(seconds=5))
    now = ExpiredReportFactory(draft=False)
    Report.objects.filter(pk=now.pk).update(draft=True)
    plain = Document.objects.create(expires_at=timezone.now() - timedelta(days=1))
    run_until_idle()
    assert {*Report.objects.values_list("pk", flat=True)} == {kept.pk, extended.pk}
    assert {*Document.objects.values_list("pk", flat=True)} == {kept.pk, extended.pk, plain.pk}
    assert events_of(later)[-1] == "purged"
    assert events_of(now) == ["expiry_scheduled", "purged"]


def test_a_child_row_written_before_its_parent() -> None:
    """As `loaddata` and raw SQL may do: the foreign key waits until the commit."""
    with transaction.atomic():
        execute("INSERT INTO zoo_report (document_ptr_id, draft) VALUES (77, true)")
        execute("INSERT INTO zoo_document (id, expires_at) VALUES (77, now() - interval '1 min')")
    run_until_idle()
    assert not Report.objects.exists()


def test_partitions_through_their_parent_and_directly() -> None:
    low, high = ExpiredReadingFactory(id=5), ExpiredReadingFactory(id=5_000)
    execute("INSERT INTO zoo_reading_low VALUES (6, 'south', now() - interval '1 min')")
    execute("INSERT INTO zoo_reading_high VALUES (6000, 'south', %s)", LATER)
    assert len(kinds(kind="expiry_scheduled")) == 4
    execute("UPDATE zoo_reading_high SET expires_at = now() - interval '1 min' WHERE id = 6000")
    Reading.objects.create(id=7, region="x", expires_at=LATER)
    execute("DELETE FROM zoo_reading_low WHERE id = 7")
    assert event("deleted").subjects == ["7"]
    run_until_idle()
    assert not Reading.objects.exists()
    assert all(events_of(row, "purged") == ["purged"] for row in (low, high))
    execute("TRUNCATE zoo_reading_low")
    assert Event.objects.filter(kind="truncated", model="zoo.reading").exists()


def test_a_row_that_moves_to_another_partition() -> None:
    reading = ExpiredReadingFactory(id=8, expires_at=LATER)
    execute("UPDATE zoo_reading SET id = 8000, expires_at = now() - interval '1 min' WHERE id = 8")
    run_until_idle()
    assert not Reading.objects.exists()
    assert "purged" not in events_of(reading)


def test_signals_see_instances() -> None:
    legacy = ExpiredLegacyFactory(expires_at=LATER)
    legacy.expires_at = timezone.now() - timedelta(seconds=1)
    legacy.save()
    deleted = ExpiredLegacyFactory()
    deleted_as = Legacy(pk=deleted.pk)
    deleted.delete()
    assert events_of(deleted_as)[-1] == "deleted"
    run_until_idle()
    assert not Legacy.objects.exists()
    assert events_of(legacy, "purged") == ["purged"]


def test_signals_miss_what_they_say_they_miss() -> None:
    Legacy.objects.bulk_create([ExpiredLegacyFactory.build()])
    Legacy.objects.bulk_create([ExpiredLegacyFactory.build(expires_at=LATER)])
    Legacy.objects.update(expires_at=timezone.now() - timedelta(days=1))
    execute("INSERT INTO zoo_legacy (file, expires_at) VALUES ('', now() - interval '1 day')")
    assert kinds() == []
    assert {"bulk_create()", "QuerySet.update()", "raw SQL"} <= {*Signals.blind_to}
    assert "Does not see" in str(Signals.__doc__)
    run_until_idle()
    assert Legacy.objects.count() == 3


def signal_policies() -> list[Policy]:
    return [policy for policy in all_policies() if isinstance(policy.capture, Signals)]


def test_a_table_of_signals_has_no_trigger() -> None:
    assert [policy.name for policy in signal_policies()] == ["legacy"]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_trigger WHERE tgrelid = 'zoo_legacy'::regclass"
            " AND NOT tgisinternal"
        )
        assert cursor.fetchone() == (0,)


@pytest.mark.slow
def test_many_rows_with_one_due_time_are_two_events_by_their_spans() -> None:
    Token.objects.bulk_create([Token(expires_at=LATER) for _ in range(20_000)], batch_size=20_000)
    told = list(Event.objects.filter(kind="expiry_scheduled"))
    assert [each.count for each in told] == [10_000, 10_000]
    assert all(each.subjects_range and not each.subjects_bigint for each in told)
    assert AgendaEntry.objects.count() == 2


def test_keys_with_gaps_are_written_out() -> None:
    Token.objects.bulk_create([Token(id=key, expires_at=LATER) for key in (1, 2, 5)])
    assert (event().subjects_range, event().subjects_bigint) == (None, [1, 2, 5])


def test_a_delete_of_many_rows_is_chunked() -> None:
    Token.objects.bulk_create([Token() for _ in range(10_500)], batch_size=10_500)
    execute("DELETE FROM zoo_token")
    told = Event.objects.filter(kind="deleted").order_by("id")
    assert [each.count for each in told] == [10_000, 500]


def test_who_and_why() -> None:
    with context(actor="ada", cause="clean-up"):
        LiveTokenFactory()
        with context(actor="bob"):
            LiveTokenFactory()
        LiveTokenFactory()
    LiveTokenFactory()
    told = Event.objects.filter(kind="expiry_scheduled").order_by("id")
    assert [(each.actor, each.cause) for each in told] == [
        ("ada", "clean-up"), ("bob", ""), ("ada", "clean-up"), ("", ""),
    ]  # fmt: skip


def test_who_and_why_after_a_rollback() -> None:
    with context(actor="ada"):
        with pytest.raises(ZeroDivisionError), context(actor="bob"):
            1 / 0  # noqa: B018
        LiveTokenFactory()
    with pytest.raises(ZeroDivisionError), context(actor="carol"):
        1 / 0  # noqa: B018
    LiveTokenFactory()
    told = Event.objects.filter(kind="expiry_scheduled").order_by("id")
    assert [each.actor for each in told] == ["ada", ""]
