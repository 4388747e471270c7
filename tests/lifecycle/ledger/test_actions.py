"""`restore`, `hold`, `release`, `expire_now`: what they refuse, and what they record."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from lifecycle import context, expire_now, expire_rows, hold, release, restore
from lifecycle.exceptions import ConditionNotMet, LifecycleError, NoPolicy, RowMissing
from lifecycle.ledger import row_actions as actions
from lifecycle.models import AgendaEntry, Event, RowException
from tests.support import kinds, run_until_idle
from tests.zoo.models import Contract, Coupon, Draft, Person, Ticket, Token

pytestmark = pytest.mark.django_db(transaction=True)

HOUR = timedelta(hours=1)


@pytest.fixture
def row() -> Token:
    return Token.objects.create(expires_at=timezone.now() + HOUR)


def test_missing_and_unsaved_rows(row: Token) -> None:
    gone = Token.objects.get()
    row.delete()
    for missing in (gone, Token()):
        for act in (restore, hold, lambda each: expire_now(each, policy="tokens")):
            with pytest.raises(RowMissing, match=r"zoo.Token:\w+ is not in the database"):
                act(missing)
    assert not RowException.objects.exists()


def test_purged_row_cannot_be_restored(row: Token) -> None:
    expire_now(row, policy="tokens")
    run_until_idle()
    with pytest.raises(RowMissing):
        restore(row)


def test_model_without_policy() -> None:
    draft = Draft.objects.create(created_at=timezone.now())
    contract = Contract.objects.create(draft=draft)
    for act in (restore, expire_now):
        with pytest.raises(NoPolicy, match=r"zoo.Contract has no policy"):
            act(contract)
    assert hold(contract)  # so that it does not go with a row that has one


def test_policy_that_is_not_there(row: Token) -> None:
    with pytest.raises(NoPolicy, match="Did you mean 'tokens'"):
        restore(row, policy="token")
    with pytest.raises(NoPolicy, match="has no policy 'drafts'"):
        expire_now(row, policy="drafts")
    with pytest.raises(NoPolicy, match="Did you mean 'drafts'"):
        hold("draft")


def test_expire_now_wants_one_policy(row: Token) -> None:
    with pytest.raises(LifecycleError, match="say which of tokens, tokens-short"):
        expire_now(row)


def test_expire_now_wants_a_match(row: Token) -> None:
    with pytest.raises(ConditionNotMet, match="`when` of policy 'tokens-short'"):
        expire_now(row, policy="tokens-short")
    assert not RowException.objects.exists()


def test_release_wants_a_hold(row: Token) -> None:
    for target in (row, "tokens", 10**9):
        with pytest.raises(LifecycleError, match="no hold"):
            release(target)


def test_every_hold_is_released_for_itself(row: Token) -> None:
    first, second = hold(row, reason="claim"), hold(row, reference="DSR-12")
    assert release(first) == 1
    assert RowException.objects.get().event_id == second
    third = hold(row)
    assert release(row) == 2
    assert not RowException.objects.exists()
    released = Event.objects.filter(kind="hold_released").order_by("id")
    assert [event.detail["holds"] for event in released] == [[first], [second], [third]]


def test_released_row_falls_due_at_once(row: Token) -> None:
    number = hold(row)
    Token.objects.update(expires_at=timezone.now() - HOUR)
    run_until_idle()
    assert Token.objects.exists()
    release(number)
    run_until_idle()
    assert not Token.objects.exists()


def test_released_policy_goes_on(row: Token) -> None:
    hold("tokens")
    Token.objects.update(expires_at=timezone.now() - HOUR)
    run_until_idle()
    assert Token.objects.exists()
    assert release("tokens") == 1
    run_until_idle()
    assert not Token.objects.exists()


def test_who_and_why_are_recorded(row: Token) -> None:
    with context(actor="ann", cause="ticket 7"):
        hold(row, reason="claim", reference="C-1")
        with context(actor="bob"):
            restore(row, policy="tokens")
        expire_now(row, policy="tokens")
    told = Event.objects.filter(kind__in=("hold_placed", "restored", "expired_by_hand"))
    assert list(told.order_by("id").values_list("actor", "cause")) == [
        ("ann", "ticket 7"), ("bob", ""), ("ann", "ticket 7"),
    ]  # fmt: skip
    placed = told.get(kind="hold_placed")
    assert placed.detail == {"reason": "claim", "reference": "C-1", "until": None}
    assert placed.subjects == [str(row.pk)]


def test_a_rollback_takes_it_back(row: Token) -> None:
    with transaction.atomic():
        restore(row, policy="tokens")
        transaction.set_rollback(True)
    assert not RowException.objects.exists()
    assert kinds(model="zoo.token") == ["expiry_scheduled"]


def test_expired_and_restored_again() -> None:
    row = Person.objects.create()
    expire_now(row)
    assert AgendaEntry.objects.get().due_at <= timezone.now()
    restore(row)
    run_until_idle()
    assert Person.objects.exists()
    assert not AgendaEntry.objects.exists()


def test_hold_is_released_however_the_key_is_spelt() -> None:
    ticket = Ticket.objects.create()
    same = Ticket(pk=ticket.pk.hex.upper())
    hold(same)
    assert release(same) == 1


def test_many_rows_are_expired_by_one_event() -> None:
    soon = timezone.now() + HOUR
    Token.objects.bulk_create(Token(expires_at=soon, label=f"{n}") for n in range(5))
    Token.objects.filter(label="4").update(active=False)
    held = Token.objects.get(label="3")
    hold(held)
    with context(actor="ann"):
        assert expire_rows(Token.objects.exclude(label="0"), policy="tokens") == 3
    told = Event.objects.get(kind="expired_by_hand")
    assert (told.count, told.actor) == (3, "ann")
    run_until_idle()
    assert sorted(Token.objects.values_list("label", flat=True)) == ["0", "3", "4"]
    assert expire_rows(Token.objects.none(), policy="tokens") == 0


def test_many_rows_by_text_keys() -> None:
    Coupon.objects.bulk_create(Coupon(code=code) for code in "abc")
    assert expire_rows(Coupon.objects.filter(code__in="ab")) == 2
    run_until_idle()
    assert list(Coupon.objects.values_list("code", flat=True)) == ["c"]


def test_too_many_rows_are_not_expired_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "MOST", 1)
    Token.objects.bulk_create(Token() for _ in range(2))
    with pytest.raises(LifecycleError, match="2 rows are too many"):
        expire_rows(Token.objects.all(), policy="tokens")
    with pytest.raises(LifecycleError, match="say which of tokens, tokens-short"):
        expire_rows(Token.objects.all())
    with pytest.raises(NoPolicy, match=r"zoo\.Contract has no policy"):
        expire_rows(Contract.objects.all())
    assert not RowException.objects.exists()
