"""A statement of one row is recorded by a shorter way; the ledger does not tell by which."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import DateTimeField, ExpressionWrapper, F, Func, Model, Q, QuerySet, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce

from lifecycle import Policy, context, expire_now, hold, restore
from lifecycle.compiler.columns_read import image_of
from lifecycle.models import AgendaEntry, Event, RowException
from tests.zoo.models import Coupon, Document, Member, Preference, Reading, Report, Ticket, Token

pytestmark = pytest.mark.django_db(transaction=True)

SOON = datetime(2100, 1, 1, tzinfo=UTC)
LATER = datetime(2101, 1, 1, tzinfo=UTC)
PAST = datetime(2001, 1, 1, tzinfo=UTC)
ONES = ("scheduled_one_v1", "ended_one_v1")
KEYS: dict[type[Model], Any] = {
    Token: 77,
    Ticket: "0b6b3c1e-6f3b-4b8e-9d83-0f2f1f3a1c11",
    Coupon: "Ä'1",
    Member: 78,
    Reading: 79,
}
POLICIES = {
    Token: "tokens", Ticket: "tickets", Coupon: "coupons", Member: "members", Reading: "readings"
}  # fmt: skip
ACTOR = "a clerk of the night shift " * 20


def execute(sql: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else []


def events() -> QuerySet[Event]:
    """Without those of the set-up."""
    return Event.objects.exclude(kind__in=("policy_changed", "truncated")).order_by("id")


def stop_short_ways() -> None:
    """From here on, to the end of the transaction, one row is recorded like many."""
    for name in ONES:
        [(made,)] = execute(f"SELECT pg_get_functiondef('lifecycle.{name}'::regproc)")
        execute(re.sub(r"^BEGIN$", "BEGIN RETURN false;", made, count=1, flags=re.MULTILINE))


@contextmanager
def taken_back() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def recorded() -> list[Any]:
    """All that ledger, agenda and row exceptions say, but the numbers and the clock."""
    there = list(events())
    place = {event.pk: number for number, event in enumerate(there)}
    told: list[Any] = []
    for event in there:
        fields = {k: v for k, v in vars(event).items() if k not in ("_state", "id", "recorded_at")}
        held = [place[number] for number in event.detail.get("held", [])]
        fields["detail"] = event.detail | ({"held": held} if held else {})
        fields["identities"] = event.identities and bytes(event.identities)
        if event.kind == "expired_by_hand":
            del fields["due_at"]
        told.append(fields)
    for entry in AgendaEntry.objects.order_by("event_id"):
        fields = {k: v for k, v in vars(entry).items() if k != "_state"}
        fields["due_at"] = "now" if entry.due_at < LATER - timedelta(days=400) else entry.due_at
        told.append(fields | {"event_id": place[entry.event_id]})
    exceptions = RowException.objects.order_by("event_id", "key")
    told += [(each.kind, each.key, place[each.event_id]) for each in exceptions]
    return told


def made(model: type[Model], due: datetime | None = SOON) -> Any:
    row = model._default_manager.create(pk=KEYS[model], expires_at=due)
    if model is Member:
        changed(model, joined_at=PAST)  # its identity: the same in both runs
    return row


def changed(model: type[Model], **values: Any) -> None:
    assert model._default_manager.filter(pk=KEYS[model]).update(**values) == 1


def gone(model: type[Model]) -> None:
    assert model._default_manager.filter(pk=KEYS[model])._raw_delete("default") == 1  # type: ignore[attr-defined]


def by_a_clerk(model: type[Model]) -> None:
    with context(actor=ACTOR, cause="stock taking " * 20):
        made(model)
        changed(model, expires_at=LATER)
        gone(model)


def restored(model: type[Model]) -> None:
    restore(made(model, PAST), policy=POLICIES[model])


def by_hand(model: type[Model]) -> None:
    expire_now(made(model), policy=POLICIES[model])


SCENES: dict[str, list[Callable[[type[Model]], Any]]] = {
    "written": [made],
    "written late": [lambda model: made(model, PAST)],
    "written without an end": [lambda model: made(model, None)],
    "extended": [made, lambda model: changed(model, expires_at=LATER)],
    "extended when it was over": [
        lambda model: made(model, PAST), lambda model: changed(model, expires_at=LATER)
    ],
    "over by an update": [made, lambda model: changed(model, expires_at=PAST)],
    "never ends now": [made, lambda model: changed(model, expires_at=None)],
    "never ends now, was over": [
        lambda model: made(model, PAST), lambda model: changed(model, expires_at=None)
    ],
    "as it was": [made, lambda model: changed(model, expires_at=SOON)],
    "deleted": [made, gone],
    "restored, extended": [restored, lambda model: changed(model, expires_at=LATER)],
    "restored, never ends now": [restored, lambda model: changed(model, expires_at=None)],
    "restored, deleted, written again": [restored, gone, made],
    "ended by hand, extended": [by_hand, lambda model: changed(model, expires_at=LATER)],
    "ended by hand, never ends now": [by_hand, lambda model: changed(model, expires_at=None)],
    "held, deleted": [lambda model: hold(made(model), reason="x"), gone],
    "by a clerk": [by_a_clerk],
}  # fmt: skip


@pytest.mark.parametrize("model", KEYS, ids=lambda model: model.__name__)
def test_one_row_is_told_like_many(model: type[Model]) -> None:
    """Every scene twice in one state of the database: by the short way, and without it."""
    told: dict[str, list[list[Any]]] = {}
    for way in (lambda: None, stop_short_ways):
        for name, scene in SCENES.items():
            with taken_back():
                way()
                for step in scene:
                    step(model)
                told.setdefault(name, []).append(recorded())
    for name, (short, full) in told.items():
        assert short == full, name
    assert [len(told[name][0]) for name in ("written", "written without an end")] == [2, 0]
    assert not events()


@pytest.mark.parametrize("name", ONES)
def test_the_short_way_is_gone(name: str) -> None:
    """What is compared is not twice the same: without the short ways these functions say so."""
    with taken_back():
        stop_short_ways()
        [(source,)] = execute(f"SELECT prosrc FROM pg_proc WHERE proname = '{name}'")
        assert "BEGIN RETURN false;" in source


def test_a_key_that_has_gone_up_and_a_number_that_is_taken() -> None:
    """Where the ledger has a number already, as after a load, the way of many finds a free one."""
    made(Token)
    before = events().get()
    execute(f"SELECT setval(pg_get_serial_sequence('lifecycle_event', 'id'), {before.pk}, false)")
    Token.objects.create(expires_at=LATER)
    gone(Token)
    told = events().values_list("kind", "due_at")
    assert list(told) == [
        ("expiry_scheduled", SOON), ("expiry_scheduled", LATER), ("deleted", None)
    ]  # fmt: skip
    assert AgendaEntry.objects.count() == 2


def test_an_update_of_what_no_policy_reads_is_not_evaluated() -> None:
    """Not even where the evaluation fails: that the row cannot be evaluated is known."""
    row = Preference.objects.create(created_at=SOON, data={"days": "many"})
    assert [event.kind for event in events()] == ["capture_failed"]
    Preference.objects.filter(pk=row.pk).update(created_at=F("created_at"))
    assert len(events()) == 1
    Preference.objects.filter(pk=row.pk).update(data={"days": "several"})
    assert len(events()) == 2


def test_the_key_counts_among_what_is_read() -> None:
    made(Coupon)
    execute("UPDATE zoo_coupon SET code = lower(code) || '2'")
    told = events()
    assert [event.subjects for event in told] == [["Ä'1"], ["ä'12"]]


def of(**options: Any) -> Policy:
    return Policy("some", Token, **({"expires": "expires_at"} | options))


READ = '"one"."id", "one"."expires_at"'
SITE_SQL = RawSQL("(SELECT now())", [], DateTimeField())
TEMPLATE = Func(F("expires_at"), template="%(expressions)s", output_field=DateTimeField())


@pytest.mark.parametrize(
    ("policy", "image"),
    [
        (of(), READ),
        (of(expires=Coalesce(F("expires_at"), Value(None))), READ),
        (of(when=Q(label="x")), '"one"."id", "one"."label", "one"."expires_at"'),
        (of(when=Q(expires_at__range=(F("expires_at"), SOON))), READ),
        (of(expires=SITE_SQL), '"one".*'),
        (of(when=Q(expires_at__range=(SITE_SQL, SOON))), '"one".*'),
        (of(expires=ExpressionWrapper(TEMPLATE + timedelta(1), DateTimeField())), '"one".*'),
    ],
)
def test_the_columns_that_a_policy_reads(policy: Policy, image: str) -> None:
    assert image_of(policy, Token, "one") == image


def test_each_table_of_a_child_has_its_own_columns() -> None:
    policy = Policy("some", Report, when=Q(draft=True), expires="expires_at")
    child, parent = image_of(policy, Report, "one"), image_of(policy, Document, "one")
    assert child == '"one"."document_ptr_id", "one"."draft"'
    assert parent == '"one"."id", "one"."expires_at"'


def test_a_model_of_a_migration_has_no_columns() -> None:
    """What a policy reads is told by its own model; of another table nothing is known."""

    class Bare(Model):
        class Meta:
            app_label = "migrated"
            db_table = "zoo_token"
            managed = False

    class Other(Model):
        class Meta:
            app_label = "migrated"
            managed = False

    assert (
        image_of(of(when=Q(label="x")), Bare, "one")
        == '"one"."id", "one"."label", "one"."expires_at"'
    )
    assert image_of(of(), Other, "one") == '"one".*'
