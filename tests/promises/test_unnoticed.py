"""What ended before its owner was warned, planted: promise 14 finds it."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

import lifecycle
from lifecycle.policy.notice import Notice
from lifecycle.promises import check as promises
from tests.promises.test_planted import write
from tests.zoo.models import Guest

pytestmark = pytest.mark.django_db(transaction=True)

DAY = timedelta(days=1)


@pytest.fixture
def row() -> Guest:
    return Guest.objects.create(email="jo@example.com", seen_at=timezone.now() - 400 * DAY)


def warned(row: Guest, mail: int, until: timedelta = -DAY, **more: Any) -> None:
    now = timezone.now()
    times = {"ends": (now - 35 * DAY).isoformat(), "until": (now + until).isoformat()}
    write("noticed", "guests", row.pk, "zoo.guest", **{"mail": mail, "of": 2, **times} | more)


def ended(row: Guest) -> list[str]:
    """What is found once the row was tombstoned all the same."""
    write("tombstoned", "guests", row.pk, "zoo.guest")
    (found,) = promises.check(only=["promise_14_not_unnoticed"]).values()
    assert {each.subject for each in found} <= {f"zoo.guest:{row.pk}"}
    return [each.problem for each in found]


def test_after_all_its_mails(row: Guest) -> None:
    warned(row, 1)
    warned(row, 2)
    assert ended(row) == []


@pytest.mark.plants(14)
def test_before_the_second_mail(row: Guest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Notice, "warns_all", True)
    warned(row, 1)
    assert ended(row) == ["tombstoned before all of its mails went"]


def test_before_the_second_mail_of_a_type_that_has_none_by_now(row: Guest) -> None:
    warned(row, 1)
    assert ended(row) == []


@pytest.mark.plants(14)
def test_before_the_time_that_they_named(row: Guest) -> None:
    warned(row, 2, until=DAY)
    (problem,) = ended(row)
    assert problem.startswith("tombstoned before 20")


@pytest.mark.plants(14)
@pytest.mark.parametrize("said", ["nothing", "over", "restored"])
def test_without_any(row: Guest, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if said == "over":
        warned(row, 2)
        write("noticed", "guests", row.pk, "zoo.guest", over=True)
    elif said == "restored":
        warned(row, 2)
        lifecycle.restore(row, until=timezone.now() + DAY)
    assert ended(row) == []  # some guests are not warned at all
    monkeypatch.setattr(Notice, "warns_all", True)
    assert set(ended(row)) == {"tombstoned, and no mail has warned of it"}


def test_by_a_named_person(row: Guest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Notice, "warns_all", True)
    lifecycle.expire_now(row)
    assert ended(row) == []
