"""A whole database comes out of a backup: what had ended since ends again, by the published log."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

import lifecycle
import purge
from lifecycle.models import Event, RowException
from lifecycle.sealing.log import read_log, read_seals
from purge.proof.detect import State
from purge.proof.verify import verify
from purge.proof.work import publish_now
from tests.lifecycle.management.test_commands import fails, manage
from tests.promises.support import violations
from tests.purge.proof.support import USING, alarm, options, read_head, read_store, state
from tests.purge.recovery.restores import Backups
from tests.support import run_until_idle
from tests.zoo.models import Coupon, Member, Person, Ticket, Token

pytestmark = pytest.mark.django_db(transaction=True)
HOUR = timedelta(hours=1)
RECOVER = ("purge", "--replay", "--from-proof", "--yes", "--actor", "Ada")
NOW = timezone.now()
PAST, FUTURE = NOW - 9 * HOUR, NOW + timedelta(days=40)


def rows(model: Any) -> set[Any]:
    return set(model.objects.values_list("pk", flat=True))


def before() -> None:
    """What is there when the backup is made."""
    Token.objects.bulk_create(Token(label=f"t{n}", expires_at=FUTURE) for n in range(40))
    Ticket.objects.bulk_create(Ticket(expires_at=FUTURE) for _ in range(10))
    Coupon.objects.bulk_create(Coupon(code=f"c{n}", expires_at=FUTURE) for n in range(10))
    Member.objects.bulk_create(
        Member(email=f"{n}@x", status="live", left_at=FUTURE) for n in range(10)
    )
    publish_now(USING)


def since() -> None:
    """What happens after it."""
    tokens = Token.objects.order_by("pk")
    lifecycle.hold(tokens[30], reason="case")
    lifecycle.hold(tokens[31], reason="case")
    Token.objects.filter(pk__lte=tokens[9].pk).update(expires_at=PAST)
    Token.objects.filter(pk=tokens[0].pk).update(expires_at=FUTURE)
    Ticket.objects.filter(pk__in=Ticket.objects.values("pk")[:4]).delete()
    Coupon.objects.filter(code__in=["c0", "c1", "c2"]).update(expires_at=PAST)
    Member.objects.filter(email__in=["0@x", "1@x"]).update(left_at=PAST)
    run_until_idle()
    late = Member.objects.bulk_create(Member(status="late") for _ in range(5))
    Member.objects.filter(pk__in=[each.pk for each in late]).delete()
    run_until_idle()
    lifecycle.expire_now(tokens[20], policy="tokens")
    run_until_idle()
    publish_now(USING)


def written_on() -> None:
    """What the site writes before anybody has noticed."""
    Member.objects.bulk_create(Member(status="new") for _ in range(7))
    Token.objects.bulk_create(Token(label="new", expires_at=FUTURE) for _ in range(7))
    Coupon.objects.create(code="fresh", expires_at=FUTURE)
    held = Coupon.objects.get(code="c5")
    with lifecycle.context(actor="Bob"):
        lifecycle.hold(held, reason="since the restore")


def ended_rows() -> list[Any]:
    """Rows of `before` that were gone, and how rows had changed, when the backup was restored."""
    return [
        rows(Token), rows(Ticket), rows(Coupon),
        dict(Member.objects.values_list("pk", "email")),
    ]  # fmt: skip


def sealed() -> list[int]:
    log = read_log(USING)
    assert log
    return read_seals(USING, log, 0, log.size).events


def whole(broken: set[int] | None = None) -> None:
    """That the ledger is the one log again, published and proven, and keeps its promises."""
    publish_now(USING)
    assert (state(), alarm()) == (State.NORMAL, {})
    found = verify(USING, options(), deep=True)
    assert (found.problems, found.unread) == ([], [])
    assert sorted(sealed()) == sorted(Event.objects.values_list("pk", flat=True))
    assert len(read_store()) == read_head().size == len(sealed())
    assert violations(broken) == []


WAYS = {"template": Backups.template, "pg_dump": Backups.dump}


@pytest.mark.parametrize("way", ["pg_dump", pytest.param("template", marks=pytest.mark.slow)])
@pytest.mark.skipif(not settings.EMBEDDED_DATABASE, reason="needs the embedded server's tools")
def test_what_had_ended_ends_again(site: Backups, way: str) -> None:
    before()
    restore = WAYS[way](site)
    backed_up = ended_rows()
    since()
    head, was = read_head(), ended_rows()
    deleted = {
        int(key)
        for each in Event.objects.filter(kind="deleted", model="zoo.member")
        for key in each.subjects
    }
    kept = was[0] & backed_up[0]
    restore()
    assert ended_rows() == backed_up
    assert state() is State.RESTORED
    written_on()
    new = rows(Token) - backed_up[0]
    members = dict(Member.objects.filter(status="new").values_list("pk", "email"))
    assert set(members) & deleted  # keys of rows that are gone
    numbers = set(Event.objects.filter(actor="Bob").values_list("pk", flat=True))
    ledger, seen = Event.objects.count(), ended_rows()
    manage(*RECOVER, "--dry-run")
    assert (Event.objects.count(), ended_rows()) == (ledger, seen)
    assert state() is State.RESTORED
    manage(*RECOVER)
    assert rows(Token) == kept | new  # under keys of ended rows
    assert rows(Ticket) == was[1]
    assert rows(Coupon) == was[2] | {"fresh"}
    assert dict(Member.objects.values_list("pk", "email")) == was[3] | members
    held = RowException.objects.filter(kind="hold")
    assert {each.event.actor for each in held.filter(model="zoo.coupon")} == {"Bob"}
    assert held.filter(model="zoo.token").count() == 2
    event = Event.objects.get(kind="log_recovered")
    assert event.detail["previous"].endswith(f" {head.size} {head.root.hex()}")
    low, high, by = event.detail["moved"]
    moved = Event.objects.filter(actor="Bob", kind="hold_placed").get().pk
    assert {moved - by} == numbers
    assert low <= moved - by <= high
    whole()
    count = Event.objects.count()
    manage(*RECOVER)
    assert Event.objects.count() == count
    fresh = Token.objects.create(expires_at=FUTURE)
    assert fresh.pk > max(backed_up[0] | was[0])


def lost(count: int = 4) -> set[int]:
    """People who were erased after a backup that has them, by a table that no identity tells."""
    people = list(Person.objects.order_by("pk")[:count])
    for number, person in enumerate(people):
        purge.erase(person, reference=f"R{number}", actor="dpo", grace=timedelta(0))
    publish_now(USING)
    return {person.pk for person in people}


@pytest.mark.slow
@pytest.mark.parametrize("untouched", [False, True], ids=["unsure", "untouched"])
def test_rows_that_nothing_tells(site: Backups, untouched: bool) -> None:
    """Left, and listed, unless somebody says that no row was written since the restore."""
    Person.objects.bulk_create(Person(name=str(n)) for n in range(6))
    publish_now(USING)
    restore = site.template()
    gone = lost()
    restore()
    assert rows(Person) > gone
    if untouched:
        manage(*RECOVER, "--untouched")
    else:
        assert "4 unsure" in fails(*RECOVER)
    assert len(rows(Person) & gone) == (0 if untouched else 4)
    assert len(rows(Person) - gone) == 2
    whole(set() if untouched else {12, 13})


@pytest.mark.slow
def test_said_to_be_untouched_and_is_not(site: Backups) -> None:
    publish_now(USING)
    restore = site.template()
    Token.objects.create(expires_at=FUTURE)
    publish_now(USING)
    restore()
    Token.objects.create(expires_at=FUTURE)
    assert "1 events say that rows were written" in fails(*RECOVER, "--untouched")
    assert state() is State.RESTORED
    manage(*RECOVER)
    whole()
