"""`lifecycle why`: what it foretells is what the worker does."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from lifecycle import context, expire_now, hold, hold_rows, release, restore
from lifecycle.insight.why import Why, why
from lifecycle.ledger import policy_states as states
from lifecycle.ledger.row_names import named, parse
from lifecycle.models import Event
from purge.runner import run_due
from tests.commands.documented import assert_documented
from tests.lifecycle.management.test_commands import fails, manage
from tests.support import let_pass
from tests.zoo import factories
from tests.zoo.models import Draft, Picture, Ticket

pytestmark = pytest.mark.django_db(transaction=True)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def of(row: Any) -> Why:
    return why(*parse(named(row)))


def draft(**age: float) -> Draft:
    return Draft.objects.create(created_at=timezone.now() - timedelta(**age))


def test_a_draft_from_its_birth_to_its_end() -> None:
    row = draft(hours=1)
    name = named(row)
    (says,) = of(row).verdicts
    assert says.says.startswith("is live until")
    assert says.at
    assert abs(says.at - (timezone.now() + 23 * HOUR)) < timedelta(seconds=5)
    let_pass(24 * HOUR)
    (says,) = of(row).verdicts
    assert says.says == "is past its end; tombstoned by the next batch"
    run_due()
    (says,) = of(row).verdicts
    assert says.says.startswith("is tombstoned since")
    assert says.at
    assert says.at > timezone.now() + timedelta(minutes=59)
    let_pass(2 * HOUR)
    run_due()
    gone = why(*parse(name))
    assert not gone.exists
    assert gone.says.startswith("It is gone: purged by policy drafts at")
    last = gone.events[0]
    assert gone.says.endswith(f"(run {last.run}, event {last.pk}).")
    assert [each.kind for each in gone.events] == ["purged", "tombstoned", "expiry_scheduled"]
    assert gone.complete


def outside() -> Any:
    return factories.InactiveTokenFactory()


def eternal() -> Any:
    return factories.EternalTokenFactory()


def restored() -> Any:
    row = draft(days=2)
    restore(row)
    return row


def held() -> Any:
    row = draft(days=2)
    hold_rows(Draft.objects.all(), reason="court")
    return row


def kept() -> Any:
    row = draft(days=2)
    Picture.objects.create(draft=row)
    run_due()
    return row


def by_hand() -> Any:
    row = draft(hours=1)
    expire_now(row)
    return row


def paused() -> Any:
    states.pause("drafts")
    return draft(days=2)


def unlisted() -> Any:
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        row = draft(days=2)
        cursor.execute("RESET session_replication_role")
    return row


SAYS = {
    outside: ("does not match `when`", 1),
    eternal: ("has no end", 1),
    restored: ("is restored", 1),
    held: ("is past its end, and held (hold ", 1),
    kept: ("is past its end, and kept by keep_while", 1),
    by_hand: ("is past its end; tombstoned by the next batch", 0),
    paused: ("but it is paused", 1),
    unlisted: ("is past its end, and not on the agenda: backfill lists it", 1),
}


@pytest.mark.plants(11)  # a row that came past the triggers
@pytest.mark.parametrize("made", SAYS)
def test_it_foretells_whether_the_next_batch_acts(made: Any) -> None:
    row = made()
    words, live = SAYS[made]
    says = next(each for each in of(row).verdicts if each.policy in ("drafts", "tokens"))
    assert words in says.says
    run_due()
    acted = Event.objects.filter(kind__in=("tombstoned", "purged")).exists()
    assert acted == (not live)


def test_what_blocks_it_is_named() -> None:
    draft = factories.ExpiredDraftFactory()
    contract = factories.ContractFactory(draft=draft)
    let_pass(2 * DAY)
    run_due()
    let_pass(2 * HOUR)
    run_due()
    (says,) = of(draft).verdicts
    assert says.says == f"cannot be purged now: in the way: {named(contract)}; tried again then"
    assert says.at
    assert says.at > timezone.now()


def test_a_row_nobody_tracks_and_one_that_never_was() -> None:
    row = factories.LiveDraftFactory()
    picture = Picture.objects.create(draft=row)
    assert "No policy is on zoo.Picture" in of(picture).says
    assert "does not know of it" in why(Draft, "100000000").says


def test_what_refers_to_it_is_named() -> None:
    """Also where only a foreign key of the database knows of it."""
    order = factories.LineFactory().order
    line = factories.LineFactory(order=order)
    detail = {"table": "zoo_line", "error": "IntegrityError", "attempts": 1}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT lifecycle.write_v1('blocked', 'orders', 'zoo.order',"
            " lifecycle.one_v1('bigint', %s), 1, NULL, now() + interval '1 hour', NULL, %s, NULL)",
            [str(order.pk), json.dumps(detail)],
        )
    (says,) = of(order).verdicts
    assert f"in the way: zoo.Line:{line.pk - 1}, {named(line)}" in says.says


def test_what_happened_to_the_whole_table_is_told() -> None:
    row = draft(hours=1)
    number = hold("drafts")
    release(number)
    own = hold(row)
    release(own)
    hold_of_another = hold(draft(hours=1))
    name = named(row)
    with connection.cursor() as cursor:
        release(hold_of_another)
        cursor.execute("TRUNCATE zoo_draft CASCADE")
    gone = why(*parse(name))
    assert gone.says.startswith("It is gone: truncated by the site itself at")
    assert [each.kind for each in reversed(gone.events)] == [
        "expiry_scheduled", "hold_placed", "hold_released", "hold_placed", "hold_released",
        "expiry_scheduled", "truncated",
    ]  # fmt: skip


def test_a_row_that_went_past_the_triggers() -> None:
    row = draft(hours=1)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("DELETE FROM zoo_draft")
        cursor.execute("RESET session_replication_role")
    assert why(*parse(named(row))).says.endswith("the ledger does not say how it went.")


def test_it_is_told_at_the_terminal() -> None:
    row = draft(days=2)
    with context(actor="ann"):
        number = hold(row, reason="court", reference="A-1", until=timezone.now() + DAY)
    told = manage("lifecycle", "why", named(row))
    for words in (
        f"{named(row)}: It is in the database.",
        "drafts (enabled): is past its end, and held",
        f"hold {number} since",
        "court, A-1, ann",
        "expiry_scheduled",
        "hold_placed",
    ):
        assert words in told
    found = json.loads(manage("lifecycle", "why", named(row), "--json"))
    assert_documented("lifecycle why", found)
    assert [each["kind"] for each in found["events"]] == ["hold_placed", "expiry_scheduled"]
    assert found["holds"][0]["reference"] == "A-1"


def test_a_name_that_is_none_is_refused() -> None:
    assert "does not name a row" in fails("lifecycle", "why", "zoo.Draft")
    assert "no model" in fails("lifecycle", "why", "zoo.Drafts:1")


def test_of_a_key_of_each_kind() -> None:
    ticket = Ticket.objects.create(expires_at=timezone.now() - HOUR)
    coupon, order = factories.ExpiredCouponFactory(), factories.ExpiredOrderFactory()
    for row in (ticket, coupon, order):
        assert [each.kind for each in of(row).events] == ["expiry_scheduled"], named(row)
        assert of(row).verdicts[0].at
