"""Every form of an event goes back as it was; types of keys, sequences, what people decided."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

import lifecycle
import purge
from lifecycle.db.connection import fetch, scalar
from lifecycle.models import Event, PolicyState
from lifecycle.proof.canonical import decode_fields, encode_fields
from lifecycle.proof.errors import Malformed
from lifecycle.proof.leaf import Record, Subject
from lifecycle.sealing.entries import read_records
from purge.outbox import deliver as outbox
from purge.outbox import subscribers
from purge.proof.detect import decide
from purge.proof.gate import opened
from purge.proof.work import publish_now
from purge.recovery.keys import highest_keys, kind_of
from purge.recovery.rejoin import rejoin
from purge.recovery.survey import survey
from purge.recovery.take import take
from purge.runner import run_due
from tests.lifecycle.management.test_commands import manage
from tests.lifecycle.proof.test_leaf import EVENTS
from tests.lifecycle.proof.writing import write
from tests.purge.proof.support import USING, options
from tests.purge.recovery.restores import Backups
from tests.purge.recovery.test_from_proof import FUTURE, PAST, RECOVER, rows, whole
from tests.support import run_until_idle
from tests.zoo.models import Badge, Coupon, Ticket, Token

pytestmark = pytest.mark.django_db(transaction=True)
HOUR = timedelta(hours=1)


def record(model: str, *keys: str) -> Record:
    subjects = tuple(Subject(key) for key in keys)
    return Record("1", "purged", "", model, "0", None, None, "0", None, subjects=subjects)


def ledger() -> list[Any]:
    """All that an event says, whichever column has its keys."""
    numbers = sorted(rows(Event))
    found = read_records(USING, numbers)
    return [found[number] for number in numbers]


def columns(*numbers: int) -> list[str]:
    text = "SELECT to_jsonb(e)::text FROM lifecycle_event AS e WHERE id = ANY (%(n)s) ORDER BY id"
    return [found for (found,) in fetch(USING, text, {"n": list(numbers)})]


@pytest.mark.slow
def test_every_form_of_an_event_is_as_it_was(site: Backups) -> None:
    """Also those that only a superuser can have written; of what the engine writes each column."""
    site.template()()  # what is forged stays in a copy
    publish_now(USING)
    restore = site.template()
    Token.objects.bulk_create(Token(label=f"t{n}", expires_at=PAST) for n in range(3))
    Coupon.objects.create(code="7", expires_at=PAST)
    Ticket.objects.bulk_create(Ticket(expires_at=PAST) for _ in range(2))
    run_until_idle()
    usual = sorted(rows(Event))
    for each in EVENTS.values():
        write(each)
    publish_now(USING)
    was, by_column = ledger(), columns(*usual)
    restore()
    found = survey(USING, options())
    rejoin(USING, options(), found, decide(USING, options()), "Ada")
    take(USING, options(), found, lambda events: None)
    assert ledger()[: len(was)] == was
    assert columns(*usual) == by_column


@pytest.mark.slow
def test_what_was_purged_since_is_told_by_its_new_number(
    site: Backups, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The published event that takes the old number names rows of which nobody may be told."""
    publish_now(USING)
    restore = site.template()
    for number in range(9):
        Coupon.objects.create(code=f"c{number}", expires_at=FUTURE)
    publish_now(USING)
    restore()
    told: list[purge.Purged] = []
    monkeypatch.setattr(subscribers, "_subscribers", {})
    purge.on_purge(Token, name="search-index")(told.append)
    token = Token.objects.create(expires_at=PAST)
    key = token.pk
    with opened(USING):  # as by a worker that has not compared yet, or a replay of the ledger alone
        run_due()
    assert not Token.objects.exists()
    manage(*RECOVER)
    outbox.deliver(USING)
    assert [each.keys for each in told] == [[key]]
    purged = Event.objects.filter(kind="purged", model="zoo.token")
    assert [each.event for each in told] == [purged.get().pk]


@pytest.mark.slow
def test_windows_that_name_no_rows_end_again(site: Backups) -> None:
    """By their own columns, in a pass of the worker: no event says which they were."""
    Badge.objects.bulk_create(Badge(secret=f"s{n}", until=PAST + n * HOUR) for n in range(4))
    Badge.objects.create(secret="new", until=FUTURE)
    publish_now(USING)
    restore = site.template()
    run_until_idle()
    assert rows(Badge) == {"new"}
    publish_now(USING)
    restore()
    assert len(rows(Badge)) == 5
    manage(*RECOVER)
    run_until_idle()
    assert rows(Badge) == {"new"}
    whole()


@pytest.mark.slow
def test_what_people_decided_is_decided_again(site: Backups) -> None:
    """Restored, held and released, in their order; a policy that was paused stays so."""
    coupons = [Coupon.objects.create(code=f"c{n}", expires_at=FUTURE) for n in range(4)]
    lifecycle.hold(coupons[3], reason="before")
    publish_now(USING)
    restore = site.template()
    lifecycle.release(coupons[3])
    Coupon.objects.filter(code__in=["c0", "c1", "c3"]).update(expires_at=PAST)
    lifecycle.restore(Coupon.objects.get(code="c1"))
    run_until_idle()
    assert rows(Coupon) == {"c1", "c2"}
    manage("lifecycle", "pause", "tickets", "--actor", "Ada")
    publish_now(USING)
    restore()
    assert rows(Coupon) == {"c0", "c1", "c2", "c3"}
    manage(*RECOVER)
    assert rows(Coupon) == {"c1", "c2"}
    assert PolicyState.objects.get(name="tickets").state == "paused"
    Coupon.objects.filter(code="c1").update(expires_at=PAST - HOUR)
    whole()


@pytest.mark.slow
def test_what_is_missing_is_printed_also_of_a_fork(site: Backups) -> None:
    publish_now(USING)
    restore = site.template()
    Token.objects.create(expires_at=FUTURE)
    Token.objects.create(expires_at=FUTURE + HOUR)
    publish_now(USING)
    restore()
    Coupon.objects.create(code="since", expires_at=timezone.now() + HOUR)
    lines = manage("lifecycle", "proof", "--missing").splitlines()
    assert [json.loads(line)["model"] for line in lines] == ["zoo.token", "zoo.token"]


@pytest.mark.parametrize(
    ("keys", "declared", "kind"),
    [
        (["1", "2"], "bigint", "bigint"), (["1"], "text", "text"), (["a"], "bigint", "text"),
        (["1"], None, "bigint"), (["01"], None, "text"), (["9223372036854775808"], None, "text"),
        (["26a61a56-6629-4053-aab9-9accb774ed37"], None, "uuid"), (["26A61A56"], "uuid", "text"),
        ([], None, "bigint"),
    ],
)  # fmt: skip
def test_the_type_of_keys(keys: list[str], declared: str | None, kind: str) -> None:
    assert kind_of(record("x.y", *keys), {"x.y": declared} if declared else {}) == kind


def test_the_highest_key_of_each_table() -> None:
    found = highest_keys([
        (record("a.b", "3", "12"), "bigint"), (record("a.b", "9"), "bigint"),
        (record("a.c", "7"), "text"), (record("a.d", "-4"), "bigint"), (record("a.e"), "bigint"),
    ])  # fmt: skip
    assert found == {"a.b": 12}


@pytest.mark.parametrize("fields", [(), ("",), (None, "a", "\u00e9"), ("x" * 300, None)])
def test_fields_are_read_as_they_were_written(fields: tuple[str | None, ...]) -> None:
    data = encode_fields(fields)
    assert tuple(decode_fields(data)) == fields
    for end in range(1, len(data)):
        try:
            assert len(decode_fields(data[:end])) < len(fields)
        except Malformed:
            continue


@pytest.mark.slow
def test_a_sequence_is_never_put_back(site: Backups) -> None:
    row = Token.objects.create(expires_at=FUTURE)
    publish_now(USING)
    restore = site.template()
    Token.objects.create(expires_at=FUTURE)
    publish_now(USING)
    restore()
    fetch(USING, "SELECT setval(pg_get_serial_sequence('zoo_token', 'id'), 100000)")
    manage(*RECOVER)
    assert scalar(USING, "SELECT nextval(pg_get_serial_sequence('zoo_token', 'id'))") == 100_001
    assert rows(Token) == {row.pk}
    whole()
