"""Rows that go by one statement: what that decides is what evaluating each row decides."""

from collections.abc import Callable
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from lifecycle import expire_now, hold, release, restore
from lifecycle.models import Event
from lifecycle.policy.registry import policies_of
from purge.batch import alike, at_once, run
from purge.runner import run_due
from tests.support import let_pass, wait_until
from tests.zoo.models import Draft, Picture, Sensor, Token

pytestmark = pytest.mark.django_db(transaction=True)

ROWS = 4
HOUR = timedelta(hours=1)
NUMBERS = count(1)  # no key twice: what was said of the one before would count for it


def set_in_sql(column: str, value: str) -> Callable[[Any], None]:
    def change(row: Any) -> None:
        meta = row._meta
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE {meta.db_table} SET {column} = {value} WHERE {meta.pk.column} = %s",
                [row.pk],
            )

    return change


def held_and_released(row: Any) -> None:
    hold(row, reason="dispute")
    release(row)


def held_for_a_moment(row: Any) -> None:
    until = timezone.now() + timedelta(milliseconds=50)
    hold(row, reason="dispute", until=until)
    wait_until(lambda: timezone.now() > until)


def expired_by_hand(row: Any) -> None:
    short = getattr(row, "label", "") == "short"
    expire_now(row, policy="tokens-short" if short else policies_of(type(row))[0].name)


#: what becomes of one of the rows before the batch
ODD: dict[str, Callable[[Any], Any]] = {
    "as the others": lambda row: None,
    "held": lambda row: hold(row, reason="dispute"),
    "held and released": held_and_released,
    "held for a moment": held_for_a_moment,
    "restored": restore,
    "expired by hand": expired_by_hand,
    "deleted": lambda row: row.delete(),
}
OF_TOKENS = ODD | {
    "never": set_in_sql("expires_at", "NULL"),
    "infinity": set_in_sql("expires_at", "'infinity'"),
    "-infinity": set_in_sql("expires_at", "'-infinity'"),
    "later": set_in_sql("expires_at", "now() + interval '1 hour'"),
    "another": set_in_sql("active", "false"),
}


def tokens() -> list[Any]:
    past = timezone.now() - HOUR
    return Token.objects.bulk_create([Token(expires_at=past) for _ in range(ROWS)])


def short_tokens() -> list[Any]:
    """Of a policy with a grace, and nothing goes along with them."""
    past = timezone.now() - HOUR
    rows = [Token(expires_at=past, active=False, label="short") for _ in range(ROWS)]
    return Token.objects.bulk_create(rows)


def sensors() -> list[Any]:
    past = timezone.now() - HOUR
    rows = [Sensor(pk=f"10.0.0.{next(NUMBERS)}", expires_at=past) for _ in range(ROWS)]
    return Sensor.objects.bulk_create(rows)


def drafts() -> list[Any]:
    past = timezone.now() - timedelta(days=3)
    return Draft.objects.bulk_create([Draft(created_at=past) for _ in range(ROWS)])


#: rows, what may become of one, whether before their tombstone or after it
CASES = [
    (tokens, OF_TOKENS, False),
    (short_tokens, ODD, True),
    (sensors, ODD, False),
    (sensors, ODD, True),
    (drafts, ODD | {"kept": lambda row: Picture.objects.create(draft=row)}, False),
    (drafts, ODD | {"kept": lambda row: Picture.objects.create(draft=row)}, True),
]


@pytest.mark.slow
@pytest.mark.parametrize(("make", "odd", "is_tombstoned"), CASES)
def test_one_statement_decides_as_each_row_does(
    make: Any, odd: dict[str, Any], is_tombstoned: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, change in odd.items():
        found = [ended(make, change, is_tombstoned)]
        with monkeypatch.context() as patch:
            patch.setattr(alike, "expected", lambda batch: "")
            patch.setattr(at_once, "expected", lambda batch: "")
            found.append(ended(make, change, is_tombstoned))
        assert found[0] == found[1], name


def ended(make: Any, change: Any, is_tombstoned: bool) -> tuple[list[bool], list[Any]]:
    """Which of the rows are left, and the events of the pass."""
    at_once._mixed.clear()
    rows = make()
    keys = [row.pk for row in rows]
    if is_tombstoned:
        run_due()
        let_pass(2 * HOUR)
    change(rows[1])
    last = Event.objects.latest("id").pk
    run_due()
    if is_tombstoned:
        run_due()
    seen = Event.objects.filter(pk__gt=last).exclude(kind="settled").order_by("id")
    there = set(type(rows[0]).objects.values_list("pk", flat=True))
    events = sorted((e.kind, e.policy, e.count, sorted(e.detail)) for e in seen)
    left = [pk in there for pk in keys]
    type(rows[0]).objects.all().delete()
    return left, events


@pytest.mark.parametrize(("make", "is_tombstoned"), [(tokens, False), (short_tokens, True)])
def test_rows_that_are_alike_are_not_looked_at_one_by_one(
    make: Any, is_tombstoned: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once._mixed.clear()
    rows = make()
    if is_tombstoned:
        run_due()
        let_pass(2 * HOUR)
    monkeypatch.setattr(run, "evaluate", refused)
    run_due()
    assert not type(rows[0]).objects.exists()
    assert Event.objects.filter(kind="purged").latest("id").count == ROWS


def refused(*args: Any) -> Any:
    raise AssertionError("the rows were evaluated one by one")


def test_a_hold_on_another_row_does_not_slow_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    other = Token.objects.create(expires_at=timezone.now() + HOUR)
    hold(other, reason="dispute")
    rows = tokens()
    at_once._mixed.clear()
    monkeypatch.setattr(run, "evaluate", refused)
    run_due()
    assert list(Token.objects.all()) == [other], rows


def test_after_a_row_that_stays_some_batches_are_not_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A DELETE that is taken back costs as much as one that is not."""
    at_once._mixed.clear()
    tried: list[int] = []
    original = at_once.act.delete

    def delete(batch: Any, subjects: Any, passing: Any = None) -> None:
        tried.append(passing is not None)
        original(batch, subjects, passing)

    monkeypatch.setattr(at_once.act, "delete", delete)
    hold(tokens()[0], reason="dispute")
    run_due()
    tokens()
    run_due()
    assert tried == [True, False, False]
    assert Token.objects.count() == 1
