"""Which tombstone counts: lives of a row in which the order of what happens decides."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from lifecycle import expire_now, hold, live, release, restore, tombstoned
from lifecycle.exceptions import ConditionNotMet
from lifecycle.models import Event, PolicyState
from lifecycle.policy.dispositions import Update
from lifecycle.policy.registry import get_policy
from purge.runner import run_due
from tests.support import events_of, let_pass, run_until_idle
from tests.zoo.factories import (
    ExpiredDraftFactory,
    ExpiredOrderFactory,
    ExpiredTokenFactory,
    IdleAccountFactory,
    LiveDraftFactory,
    LiveTokenFactory,
    PersonFactory,
)
from tests.zoo.models import Account, Draft, Order, Person, Token

pytestmark = pytest.mark.django_db(transaction=True)

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def draft() -> Draft:
    """A draft that was tombstoned half an hour ago; its grace is an hour."""
    draft = ExpiredDraftFactory()
    run_until_idle()
    let_pass(30 * MINUTE)
    return Draft.objects.get(pk=draft.pk)


def there(row: Any) -> bool:
    run_until_idle()
    return type(row).objects.filter(pk=row.pk).exists()


def set_to(row: Any, **values: Any) -> None:
    type(row).objects.filter(pk=row.pk).update(**values)


def assert_grace_starts_now(row: Any, grace: timedelta = HOUR) -> None:
    """The row's next tombstone is due at once, and only a whole grace later the row goes."""
    assert there(row)
    let_pass(grace - MINUTE)
    assert there(row)
    let_pass(2 * MINUTE)
    assert not there(row)


def test_the_plain_life() -> None:
    draft = LiveDraftFactory()
    assert there(draft)
    let_pass(timedelta(hours=25))
    assert_grace_starts_now(draft)
    assert events_of(draft) == ["expiry_scheduled", "tombstoned", "purged"]


def test_extended_after_its_tombstone_and_expired_again(draft: Draft) -> None:
    set_to(draft, created_at=timezone.now())
    assert draft in live(Draft)
    let_pass(timedelta(hours=23))
    assert there(draft)
    let_pass(timedelta(hours=1, seconds=5))
    assert_grace_starts_now(draft)
    assert events_of(draft, "tombstoned", "purged") == ["tombstoned", "tombstoned", "purged"]


def test_extended_a_little_so_that_it_expires_within_its_first_grace(draft: Draft) -> None:
    set_to(draft, created_at=timezone.now() - timedelta(hours=23, minutes=50))
    assert there(draft)
    let_pass(11 * MINUTE)
    assert_grace_starts_now(draft)


def test_changed_to_another_end_in_the_past(draft: Draft) -> None:
    set_to(draft, created_at=draft.created_at - timedelta(days=1))
    assert_grace_starts_now(draft)


def test_switched_off_and_on_again_in_the_grace(draft: Draft) -> None:
    set_to(draft, status="live")
    assert draft in live(Draft)
    set_to(draft, status="draft")
    assert_grace_starts_now(draft)
    assert Event.objects.filter(detail__again=True, policy="drafts").exists()


def test_switched_off_over_the_end_of_its_grace(draft: Draft) -> None:
    set_to(draft, status="live")
    let_pass(HOUR)
    assert there(draft)
    set_to(draft, status="draft")
    assert_grace_starts_now(draft)


def test_deleted_and_written_again_under_the_same_key(draft: Draft) -> None:
    key, created_at = draft.pk, draft.created_at
    draft.delete()
    again = Draft.objects.create(pk=key, created_at=created_at)
    assert_grace_starts_now(again)
    told = ["tombstoned", "deleted", "tombstoned", "purged"]
    assert events_of(again, *told) == told


def test_deleted_over_the_end_of_its_grace_and_written_again(draft: Draft) -> None:
    key, created_at = draft.pk, draft.created_at
    draft.delete()
    let_pass(HOUR)
    again = Draft.objects.create(pk=key, created_at=created_at - HOUR)
    assert_grace_starts_now(again)


def test_purged_and_written_again_under_the_same_key(draft: Draft) -> None:
    let_pass(HOUR)
    assert not there(draft)
    again = Draft.objects.create(pk=draft.pk, created_at=draft.created_at)
    assert_grace_starts_now(again)


def test_truncated_and_written_again_under_the_same_key() -> None:
    order = ExpiredOrderFactory(grace=HOUR)
    run_until_idle()
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE zoo_order CASCADE")
    Order.objects.create(pk=order.pk, expires_at=order.expires_at, grace=HOUR)
    let_pass(30 * MINUTE)
    assert_grace_starts_now(order)


def test_held_and_released_in_the_grace(draft: Draft) -> None:
    hold(draft, reason="a question")
    release(draft)
    assert there(draft)
    let_pass(HOUR + MINUTE)
    assert not there(draft)


def test_held_over_the_end_of_its_grace(draft: Draft) -> None:
    hold(draft)
    let_pass(2 * HOUR)
    assert there(draft)
    release(draft)
    assert_grace_starts_now(draft)


def test_held_released_purged_and_written_again(draft: Draft) -> None:
    """No tombstone that the earlier row has left may count for the later one."""
    hold(draft)
    release(draft)
    assert there(draft)
    let_pass(31 * MINUTE)
    assert not there(draft)
    again = Draft.objects.create(pk=draft.pk, created_at=timezone.now() - timedelta(days=3))
    assert_grace_starts_now(again)


def test_restored_stays_until_its_due_time_changes(draft: Draft) -> None:
    restore(draft)
    assert draft in live(Draft)
    let_pass(timedelta(days=30))
    assert there(draft)
    set_to(draft, title="nothing of importance")
    assert there(draft)
    assert draft in live(Draft)
    set_to(draft, created_at=timezone.now() - timedelta(days=9))
    assert draft not in live(Draft)
    assert_grace_starts_now(draft)


def test_restored_until_a_date(draft: Draft) -> None:
    restore(draft, until=timezone.now() + timedelta(days=2))
    let_pass(timedelta(days=1))
    assert there(draft)
    assert draft in live(Draft)
    let_pass(timedelta(days=1, seconds=5))
    assert draft in tombstoned(Draft)
    assert_grace_starts_now(draft)


def test_restored_until_a_date_within_its_first_grace(draft: Draft) -> None:
    restore(draft, until=timezone.now() + 10 * MINUTE)
    let_pass(11 * MINUTE)
    assert_grace_starts_now(draft)


def test_three_old_entries_and_a_restore() -> None:
    draft = LiveDraftFactory()
    for hours in (30, 29, 28):
        set_to(draft, created_at=timezone.now() - timedelta(hours=hours))
    restore(draft)
    run_until_idle()
    let_pass(timedelta(days=3))
    assert there(draft)
    assert "tombstoned" not in events_of(draft)
    set_to(draft, status="live")
    set_to(draft, status="draft")
    assert_grace_starts_now(draft)


def test_a_grace_made_longer_counts_at_once() -> None:
    order = ExpiredOrderFactory(grace=HOUR)
    assert there(order)
    set_to(order, grace=3 * HOUR)
    let_pass(2 * HOUR)
    assert there(order)
    let_pass(HOUR + MINUTE)
    assert not there(order)
    assert events_of(order, "tombstoned") == ["tombstoned"]


def test_a_grace_made_shorter_moves_no_tombstone() -> None:
    order = ExpiredOrderFactory(grace=3 * HOUR)
    assert there(order)
    set_to(order, grace=MINUTE)
    let_pass(HOUR)
    assert there(order)
    let_pass(2 * HOUR + MINUTE)
    assert not there(order)


def test_a_grace_made_shorter_moves_no_tombstone_though_the_row_is_looked_at() -> None:
    order = ExpiredOrderFactory(grace=3 * HOUR)
    assert there(order)
    set_to(order, grace=MINUTE)
    hold(order)
    release(order)
    assert there(order)
    let_pass(HOUR)
    assert there(order)
    let_pass(2 * HOUR + MINUTE)
    assert not there(order)


def test_a_grace_taken_away_is_no_grace_of_nothing() -> None:
    """Without a grace on record nobody knows when the row may go, so it stays."""
    order, other = ExpiredOrderFactory(grace=HOUR), ExpiredOrderFactory(grace=None)
    assert there(order)
    set_to(order, grace=None)
    let_pass(timedelta(days=2))
    assert there(order)
    assert there(other)
    assert other in tombstoned(Order)
    set_to(other, grace=HOUR)
    set_to(order, grace=HOUR)
    for _ in range(3):
        let_pass(timedelta(days=1, hours=2))
        run_until_idle()
    assert not there(order)
    assert not there(other)


def test_expired_by_hand_has_its_grace() -> None:
    draft = LiveDraftFactory()
    expire_now(draft)
    assert draft in tombstoned(Draft)
    assert_grace_starts_now(draft)


def test_expired_by_hand_outside_when_is_refused() -> None:
    token = LiveTokenFactory(active=False)
    with pytest.raises(ConditionNotMet):
        expire_now(token, policy="tokens")


def test_expired_by_hand_and_restored() -> None:
    draft = LiveDraftFactory()
    expire_now(draft)
    run_until_idle()
    restore(draft)
    let_pass(2 * HOUR)
    assert there(draft)
    assert draft in live(Draft)


def test_expired_by_hand_and_given_a_new_end() -> None:
    draft = LiveDraftFactory()
    expire_now(draft)
    run_until_idle()
    set_to(draft, created_at=timezone.now())
    let_pass(2 * HOUR)
    assert there(draft)
    assert draft in live(Draft)


def test_restored_and_then_expired_by_hand(draft: Draft) -> None:
    restore(draft)
    expire_now(draft)
    assert_grace_starts_now(draft)


def test_two_policies_with_different_graces() -> None:
    """The short one ends an hour earlier and has a grace of an hour; the other has none."""
    token = LiveTokenFactory(label="short", expires_at=timezone.now() + 30 * MINUTE)
    assert there(token)
    assert token not in live(Token)
    assert events_of(token, "tombstoned") == ["tombstoned"]
    let_pass(31 * MINUTE)
    assert not there(token)
    purged = Event.objects.get(kind="purged")
    assert (purged.policy, purged.subjects) == ("tokens", [str(token.pk)])
    let_pass(HOUR)
    run_until_idle()
    assert events_of(token, "purged") == ["purged"]


def test_a_restore_counts_for_the_policy_that_is_named() -> None:
    token = ExpiredTokenFactory(label="short", active=False)
    run_until_idle()
    restore(token, policy="tokens")
    let_pass(2 * HOUR)
    assert not there(token)


def test_only_one_of_several_policies_matches() -> None:
    token = ExpiredTokenFactory(label="short", active=False)
    assert_grace_starts_now(token)
    assert {event.policy for event in Event.objects.filter(kind="purged")} == {"tokens-short"}


def test_an_update_acts_once() -> None:
    account = IdleAccountFactory()
    assert account in live(Account)
    run_until_idle()
    account.refresh_from_db()
    assert (account.active, account.email) == (False, "")
    let_pass(timedelta(days=40))
    run_until_idle()
    assert events_of(account, "updated", "tombstoned") == ["updated"]
    set_to(account, active=True, seen_at=timezone.now())
    let_pass(timedelta(days=31))
    run_until_idle()
    assert events_of(account, "updated") == ["updated", "updated"]


def test_an_update_waits_for_its_grace() -> None:
    account = IdleAccountFactory(seen_at=timezone.now() - timedelta(days=30, minutes=30))
    run_until_idle()
    assert events_of(account, "updated") == []
    let_pass(31 * MINUTE)
    run_until_idle()
    assert events_of(account, "updated") == ["updated"]


def test_a_held_account_is_not_updated() -> None:
    account = IdleAccountFactory()
    hold(account)
    run_until_idle()
    account.refresh_from_db()
    assert account.active
    release(account)
    run_until_idle()
    assert events_of(account, "updated") == ["updated"]


def test_an_update_after_which_the_row_still_matches_halts(monkeypatch) -> None:
    from lifecycle.compiler.policy_sql import compiled

    account = IdleAccountFactory()
    policy = get_policy("accounts")
    wrong = compiled(policy).__class__(
        **{**vars(compiled(policy)), "update_sql": "\"email\" = 'x'"}
    )
    monkeypatch.setattr("purge.batch.state.compiled", lambda _: wrong)
    run_due()
    account.refresh_from_db()
    assert account.email == "somebody@example.org"
    assert PolicyState.objects.get(name="accounts").state == "halted"
    assert events_of(account, "updated") == []
    assert isinstance(policy.disposition, Update)


def test_on_request_ends_only_who_asks() -> None:
    asked, other = PersonFactory(), PersonFactory()
    let_pass(timedelta(days=900))
    assert there(other)
    expire_now(asked)
    assert asked in tombstoned(Person)
    assert_grace_starts_now(asked)
    assert there(other)
    assert other in live(Person)


def test_on_request_can_be_taken_back() -> None:
    person = PersonFactory()
    expire_now(person)
    run_until_idle()
    restore(person)
    let_pass(2 * HOUR)
    assert there(person)
    expire_now(person)
    assert_grace_starts_now(person)


def test_a_held_policy_keeps_its_rows_from_the_other_policies_of_the_table() -> None:
    token = Token.objects.create(label="short", expires_at=timezone.now() - timedelta(hours=3))
    hold("tokens", reason="dispute")
    run_until_idle()
    let_pass(timedelta(hours=2))
    run_until_idle()
    assert Token.objects.live().get() == token
    release("tokens")
    run_until_idle()
    assert not Token.objects.exists()
