"""After a story with everything in it, agenda and exceptions made again are row by row the same."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

import lifecycle
from lifecycle.ledger import policy_states as states
from lifecycle.ledger.pending import move_pending
from lifecycle.models import AgendaEntry, Event, PolicyState, RowException
from lifecycle.policy.registry import get_policy
from purge.passes.options import PassOptions
from purge.runner import run_due, run_policy
from tests.clock import pass_time
from tests.support import renamed, session
from tests.zoo.models import (
    Account,
    Contract,
    Coupon,
    Draft,
    Legacy,
    Life,
    Line,
    Order,
    Person,
    Picture,
    Preference,
    Report,
    Ticket,
    Token,
)

pytestmark = pytest.mark.django_db(transaction=True)

HOUR = timedelta(hours=1)


def projections() -> dict[str, list[dict[str, Any]]]:
    """What the ledger gives; an exception's own number is not from there."""
    exceptions = RowException.objects.order_by("event_id", "policy", "key").values()
    return {
        "agenda": list(AgendaEntry.objects.order_by("event_id").values()),
        "exceptions": [{k: v for k, v in each.items() if k != "id"} for each in exceptions],
        "states": list(PolicyState.objects.order_by("name").values("name", "state", "spent")),
    }


def write_rows() -> None:
    now = timezone.now()
    Token.objects.bulk_create(Token(expires_at=now + (i % 7 - 3) * HOUR) for i in range(60))
    Token.objects.bulk_create(Token(expires_at=now + i * HOUR, label="short") for i in range(150))
    Ticket.objects.bulk_create(Ticket(expires_at=now + i * HOUR) for i in range(-3, 4))
    Coupon.objects.bulk_create(Coupon(code=f'it\'s "{i}"', expires_at=now) for i in range(5))
    Report.objects.create(expires_at=now - HOUR)
    Legacy.objects.create(expires_at=now + HOUR)
    Preference.objects.create(created_at=now, data={"days": "many"})
    Account.objects.create(seen_at=now - timedelta(days=40))
    lifecycle.expire_now(Person.objects.create(name="Ann"))
    Line.objects.create(order=Order.objects.create(expires_at=now, grace=2 * HOUR))
    drafts = [Draft.objects.create(created_at=now - timedelta(days=2)) for _ in range(4)]
    Picture.objects.create(draft=drafts[0])
    Contract.objects.create(draft=drafts[1])
    for i in range(12):
        Life.objects.create(expires_at=now + (i - 6.5) * HOUR, grace=(i % 4) * HOUR)


def say_things() -> None:
    lives = list(Life.objects.order_by("pk"))
    with lifecycle.context(actor="ann", cause="a story"):
        lifecycle.restore(lives[-1])
        lifecycle.restore(lives[-2], until=timezone.now() + 2 * HOUR)
        lifecycle.restore(lives[-3])
        lifecycle.expire_now(lives[-3])
        lifecycle.expire_now(lives[-4])
    lifecycle.hold(lives[-5], reason="court", reference="A/1")
    lifecycle.hold(lives[-6], until=timezone.now() + 3 * HOUR)
    lifecycle.hold("tickets", reason="audit")
    states.pause("coupons", actor="ann")


def change_rows() -> None:
    Life.objects.filter(grace=HOUR).update(expires_at=timezone.now() + 5 * HOUR)
    Life.objects.filter(grace=3 * HOUR).update(active=False)
    Life.objects.filter(grace=3 * HOUR).update(active=True)
    Life.objects.filter(grace=2 * HOUR).update(grace=6 * HOUR)
    Token.objects.filter(label="short")[:1].get().delete()
    Token.objects.filter(label="short", expires_at__gt=timezone.now() + 90 * HOUR).delete()


def finish_things() -> None:
    lifecycle.release("tickets")
    for held in RowException.objects.filter(kind="hold", until=None):
        lifecycle.release(held.event_id)
    states.resume("coupons", actor="ann", allow=10)


def run_with_a_locked_row() -> None:
    with session() as other:
        other.execute("SELECT FROM zoo_token ORDER BY id LIMIT 5 FOR UPDATE")
        run_policy(get_policy("tokens"), PassOptions(limit=7))
        run_due()


def same_after_rebuild() -> None:
    before = projections()
    with transaction.atomic():
        call_command("lifecycle", "rebuild")
    assert projections() == before


def test_rebuilt_is_the_same() -> None:
    write_rows()
    same_after_rebuild()
    for step in (run_with_a_locked_row, say_things, run_due, change_rows, run_due):
        step()
        same_after_rebuild()
    with renamed("lives", "lives-renamed"):
        for step in (same_after_rebuild, run_due, finish_things):
            step()
            pass_time(hours=2)
            same_after_rebuild()
        for _ in range(5):
            run_due()
            pass_time(hours=7)
            same_after_rebuild()
    told = set(Event.objects.values_list("kind", flat=True))
    assert told >= {
        "expiry_scheduled", "tombstoned", "kept", "restored", "expired_by_hand", "hold_placed",
        "hold_released", "updated", "purged", "deleted", "blocked", "capture_failed", "resumed",
        "policy_changed", "settled",
    }  # fmt: skip
    relisted = Event.objects.filter(detail__has_key="relisted").values_list("detail__relisted")
    assert {"held", "limit", "locked", "later", "released", "grace"} <= {why for (why,) in relisted}


def test_rebuilt_from_nothing() -> None:
    write_rows()
    say_things()
    move_pending("default")
    before = projections()
    AgendaEntry.objects.all().delete()
    RowException.objects.all().delete()
    call_command("lifecycle", "rebuild")
    assert projections() == before


@pytest.mark.slow
def test_what_is_wrong_on_the_agenda_is_put_right() -> None:
    write_rows()
    run_due()
    pass_time(hours=2)
    run_due()
    assert AgendaEntry.objects.exclude(tombstone=None).exists()
    assert Event.objects.exclude(settled=None).exists()
    before = projections()
    wrong = AgendaEntry.objects.order_by("event_id")
    gone = wrong.last()
    assert gone
    gone.delete()
    settled = Event.objects.exclude(settled=None).values_list("settled", flat=True)[0][0]
    for number in (settled, 0, 10**9):
        AgendaEntry.objects.create(event_id=number, policy="lives", due_at=timezone.now(), count=1)
    for number, column in enumerate(("policy", "due_at", "count", "attempts", "tombstone")):
        value = {"policy": "tokens", "due_at": timezone.now()}.get(column, 77)
        AgendaEntry.objects.filter(pk=wrong[number + 2].pk).update(**{column: value})
    wrong.filter(tombstone__isnull=False).update(tombstoned_at=None)
    assert projections() != before
    call_command("lifecycle", "rebuild")
    assert projections() == before


def test_a_rebuild_tells_how_far_it_is() -> None:
    write_rows()
    told: list[tuple[int, int]] = []
    states.rebuild(tell=lambda done, total: told.append((done, total)))
    last = Event.objects.latest("pk").pk
    assert told[-1] == (last, last)
