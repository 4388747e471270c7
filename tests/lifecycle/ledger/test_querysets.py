"""`live()` and `tombstoned()`: what host code reads, at the moment of the query."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.db.models import Count, F, Q
from django.test.utils import isolate_apps
from django.utils import timezone

from lifecycle import expire_now, hold, live, release, restore, tombstoned
from purge.models import Run
from tests.support import database_now, let_pass, run_until_idle, wait_until
from tests.zoo.models import (
    Account,
    Contract,
    Document,
    Draft,
    Line,
    Order,
    Person,
    Picture,
    Report,
    Ticket,
    Token,
)

pytestmark = pytest.mark.django_db(transaction=True)

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def token(ends: timedelta | None, **values: object) -> Token:
    return Token.objects.create(expires_at=ends and timezone.now() + ends, **values)


def draft(age: timedelta, **values: object) -> Draft:
    return Draft.objects.create(created_at=timezone.now() - age, **values)


def assert_live(*rows: object) -> None:
    for row in rows:
        found = type(row).objects.filter(pk=row.pk)
        assert live(found).exists(), row
        assert not tombstoned(found).exists(), row


def assert_tombstoned(*rows: object) -> None:
    for row in rows:
        found = type(row).objects.filter(pk=row.pk)
        assert tombstoned(found).exists(), row
        assert not live(found).exists(), row


def test_methods_and_functions_say_the_same() -> None:
    past, future, never = token(-HOUR), token(HOUR), token(None)
    assert set(Token.objects.live()) == set(live(Token)) == {future, never}
    assert set(Token.objects.tombstoned()) == set(tombstoned(Token)) == {past}
    assert set(live(Token.objects.all())) == {future, never}
    assert set(live(Token.objects)) == {future, never}


def test_outside_when_it_is_live() -> None:
    assert_live(token(-HOUR, active=False))
    assert_live(draft(2 * DAY, status="live"))


def test_hidden_the_moment_it_expires_before_any_worker() -> None:
    row = token(timedelta(seconds=0.4))
    with transaction.atomic():  # its clock does not stand still either
        assert_live(row)
        wait_until(lambda: not live(Token).exists())
        assert database_now() - row.expires_at < timedelta(seconds=0.3)
    assert_tombstoned(row)
    assert not Run.objects.exists()


def test_days_are_86400_seconds() -> None:
    assert_tombstoned(draft(timedelta(seconds=86_401)))
    assert_live(draft(timedelta(seconds=86_390)))


def test_restored_is_live_until_its_due_time_changes() -> None:
    row = token(-HOUR)
    restore(row)
    assert_live(row)
    run_until_idle()
    assert_live(row)
    Token.objects.update(expires_at=F("expires_at") + timedelta(minutes=1))
    assert_tombstoned(row)


def test_restored_until_a_date() -> None:
    row = draft(2 * DAY)
    restore(row, until=timezone.now() + HOUR)
    assert_live(row)
    let_pass(2 * HOUR)
    assert_tombstoned(row)
    run_until_idle()
    assert_tombstoned(row)


def test_held_row_is_live_until_released() -> None:
    row, other = token(-HOUR), token(-HOUR)
    hold(row)
    assert_live(row)
    assert_tombstoned(other)
    release(row)
    assert_tombstoned(row)


def test_hold_ends_at_its_date() -> None:
    row = draft(2 * DAY)
    hold(row, until=timezone.now() + HOUR)
    assert_live(row)
    let_pass(2 * HOUR)
    assert_tombstoned(row)
    run_until_idle()
    assert_tombstoned(row)


def test_held_policy_hides_nothing() -> None:
    row, short = token(-HOUR), token(timedelta(minutes=30), label="short")
    hold("tokens")
    assert_live(row, short)  # no policy ends rows of the table
    release("tokens")
    assert_tombstoned(row, short)


def test_kept_while() -> None:
    row = draft(2 * DAY)
    picture = Picture.objects.create(draft=row)
    assert_live(row)
    picture.delete()
    assert_tombstoned(row)


def test_first_of_two_policies_hides() -> None:
    short, other = token(timedelta(minutes=30), label="short"), token(timedelta(minutes=30))
    assert_tombstoned(short)
    assert_live(other)
    restore(short, policy="tokens")
    assert_tombstoned(short)
    restore(short, policy="tokens-short")
    assert_live(short)


def test_restore_names_every_policy_by_default() -> None:
    row = token(-2 * HOUR, label="short")
    restore(row, policy="tokens")
    assert_tombstoned(row)
    restore(row)
    assert_live(row)


def test_on_request_only() -> None:
    row, other = Person.objects.create(), Person.objects.create()
    assert_live(row)
    expire_now(row)
    assert_tombstoned(row)
    assert_live(other)
    restore(row)
    assert_live(row)


def test_expired_by_hand_before_its_time() -> None:
    row = token(HOUR)
    expire_now(row, policy="tokens")
    assert_tombstoned(row)
    Token.objects.update(expires_at=F("expires_at") + HOUR)
    assert_live(row)


def test_update_hides_nothing() -> None:
    row = Account.objects.create(seen_at=timezone.now() - 90 * DAY)
    assert_live(row)
    run_until_idle()
    row.refresh_from_db()
    assert not row.active
    assert_live(row)


def test_model_without_policy() -> None:
    row = draft(2 * DAY)
    contract = Contract.objects.create(draft=row)
    assert set(live(Contract)) == {contract}
    assert not tombstoned(Contract).exists()


def test_child_table_and_its_parent() -> None:
    ended = Report.objects.create(expires_at=timezone.now() - HOUR)
    stays = Report.objects.create(expires_at=timezone.now() - HOUR, draft=False)
    assert set(live(Report)) == {stays}
    assert set(tombstoned(Report)) == {ended}
    assert live(Document).count() == 2


@isolate_apps("tests.zoo")
def test_proxy_has_the_policies_of_its_table() -> None:
    class PassOptions(Token):
        class Meta:
            proxy = True
            app_label = "zoo"

    row = token(-HOUR)
    assert not live(PassOptions).exists()
    assert tombstoned(PassOptions).get().pk == row.pk


def test_uuid_keys() -> None:
    row = Ticket.objects.create(expires_at=timezone.now() - HOUR)
    assert_tombstoned(row)
    hold(row)
    assert_live(row)


def test_another_alias_is_kept() -> None:
    assert live(Token.objects.using("another")).db == "another"


class TestComposes:
    """With everything else that a queryset can do."""

    @pytest.fixture(autouse=True)
    def rows(self) -> None:
        self.past = [draft(2 * DAY, title=f"p{number}") for number in range(3)]
        self.live = [draft(HOUR, title=f"l{number}") for number in range(2)]

    def test_counts_and_slices(self) -> None:
        rows = Draft.objects.live().order_by("title")
        assert rows.count() == 2
        assert rows.exists()
        assert list(rows[1:]) == self.live[1:]
        assert rows.first() == self.live[0]
        assert rows.aggregate(total=Count("pk")) == {"total": 2}

    def test_values_annotations_and_percent_signs(self) -> None:
        rows = Draft.objects.filter(Q(title__contains="%") | Q(title__startswith="l")).live()
        assert list(rows.order_by("title").values_list("title", flat=True)) == ["l0", "l1"]
        counted = Draft.objects.annotate(pictures=Count("picture")).live().filter(pictures=0)
        assert set(counted) == set(self.live)
        assert Draft.objects.live().values("status").annotate(rows=Count("pk")).get()["rows"] == 2

    def test_twice_and_negated(self) -> None:
        assert set(Draft.objects.live().live()) == set(self.live)
        assert not Draft.objects.live().tombstoned().exists()
        ended = Draft.objects.tombstoned().values("pk")
        assert set(Draft.objects.exclude(pk__in=ended)) == set(self.live)

    def test_in_a_subquery_of_its_own_table(self) -> None:
        assert set(Draft.objects.filter(pk__in=Draft.objects.live())) == set(self.live)

    def test_union_and_combinations(self) -> None:
        both = Draft.objects.live().union(Draft.objects.tombstoned())
        assert both.count() == 5
        assert (Draft.objects.live() | Draft.objects.tombstoned()).count() == 5
        assert not (Draft.objects.live() & Draft.objects.tombstoned()).exists()

    def test_joins(self) -> None:
        Contract.objects.create(draft=self.live[0])
        Contract.objects.create(draft=self.past[0])
        assert Contract.objects.filter(draft__in=live(Draft)).get().draft == self.live[0]
        assert live(Draft.objects.filter(contract__isnull=False)).get() == self.live[0]
        assert live(Draft.objects.select_for_update(of=("self",)).order_by("pk")).query
        order = Order.objects.create(expires_at=timezone.now() - HOUR)
        Line.objects.create(order=order)
        assert not Line.objects.filter(order__in=live(Order)).exists()

    def test_update_and_delete(self) -> None:
        assert Draft.objects.live().update(title="seen") == 2
        assert Draft.objects.tombstoned().delete()[0] == 3
        assert set(Draft.objects.all()) == set(self.live)

    def test_locks(self) -> None:
        with transaction.atomic():
            assert set(Draft.objects.live().select_for_update()) == set(self.live)

    def test_one_query(self, django_assert_num_queries: object) -> None:
        with django_assert_num_queries(1):  # type: ignore[operator]
            list(Draft.objects.live())
