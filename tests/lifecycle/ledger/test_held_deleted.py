"""A held row that the site itself deletes: everything that shows holds says so."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.checks import run_checks
from django.db import connection
from django.test import Client
from django.utils import timezone

from lifecycle import context, hold, holds, release
from lifecycle.insight.status import statuses
from lifecycle.ledger.held_deleted import held_deleted
from lifecycle.ledger.row_names import named
from lifecycle.models import Event, RowException
from lifecycle.policy.registry import get_policy
from purge.alerts import watch as alerts
from tests.lifecycle.management.test_commands import fails, manage
from tests.purge.alerts.conftest import Mailbox, mailbox, told  # noqa: F401 - fixtures
from tests.support import database_now, let_pass
from tests.zoo import factories
from tests.zoo.models import Draft

pytestmark = pytest.mark.django_db(transaction=True)


def draft() -> Draft:
    return Draft.objects.create(created_at=timezone.now())


def by_sql(row: Any) -> None:
    table, key = row._meta.db_table, row._meta.pk.column
    with connection.cursor() as cursor:
        cursor.execute(f'DELETE FROM "{table}" WHERE "{key}" = %s', [row.pk])


WAYS: list[Callable[[Any], Any]] = [
    lambda row: type(row).objects.filter(pk=row.pk).delete(),
    lambda row: row.delete(),
    by_sql,
]


@pytest.mark.parametrize(
    "factory",
    [factories.LiveTokenFactory, factories.ExpiredTicketFactory, factories.ExpiredCouponFactory],
)
def test_every_way_to_delete_and_every_kind_of_key(factory: Any) -> None:
    rows = [factory() for _ in WAYS]
    for row, way in zip(rows, WAYS, strict=True):
        number, key = hold(row), str(row.pk)
        assert held_deleted("default") == []
        way(row)
        (found,) = held_deleted("default")
        event = Event.objects.latest("pk")
        assert (found.hold, found.key, found.event, found.rows) == (number, key, event.pk, 1)
        assert event.kind == "deleted"
        assert event.detail["held"] == [number]
        release(number)
    assert held_deleted("default") == []


@pytest.mark.parametrize(
    "factory",
    [factories.LiveTokenFactory, factories.ExpiredTicketFactory, factories.ExpiredCouponFactory],
)
def test_a_row_that_is_there_again_is_not_told(factory: Any) -> None:
    """A hold is on a key: what is written again under it is held again."""
    row, other = factory(), factory()
    number = hold(row)
    hold(other)
    for times in (1, 2):
        by_sql(row)
        assert {each.key for each in held_deleted("default")} == {str(row.pk)}
        assert len(held_deleted("default")) == times
        assert holds()[0].deleted == times
        row.save(force_insert=True)
        assert held_deleted("default") == []
        assert [each.deleted for each in holds()] == [0, 0]
        assert manage("lifecycle", "holds").count("gone") == 0
    by_sql(other)
    assert {each.key for each in held_deleted("default")} == {str(other.pk)}
    release(number)
    by_sql(row)
    assert {each.key for each in held_deleted("default")} == {str(other.pk)}


def test_of_a_held_policy_those_are_told_that_are_not_there_again() -> None:
    rows = [draft() for _ in range(3)]
    hold("drafts")
    Draft.objects.all().delete()
    assert [each.rows for each in held_deleted("default")] == [3]
    rows[0].save(force_insert=True)
    assert [each.rows for each in held_deleted("default")] == [2]
    for row in rows[1:]:
        row.save(force_insert=True)
    assert held_deleted("default") == []


@pytest.fixture
def boss() -> Client:
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("boss", password="x"))
    return client


def shown(boss: Client, name: str) -> tuple[str, str]:
    """The page of a row, and the list of row exceptions."""
    page = boss.get("/admin/lifecycle/event/row/", {"row": name})
    return page.content.decode(), boss.get("/admin/lifecycle/rowexception/").content.decode()


@pytest.mark.slow
def test_is_told_wherever_holds_are_shown(
    mailbox: Mailbox,  # noqa: F811
    told: list[Any],  # noqa: F811
    boss: Client,
) -> None:
    row, other, free = draft(), draft(), draft()
    number = hold(row, reason="claim", reference="CASE-9")
    hold(other)
    name = named(row)
    shows_a_hold(boss, name, number)
    with context(actor="a view"):
        Draft.objects.filter(pk__in=[row.pk, free.pk]).delete()
    event = Event.objects.latest("pk").pk
    commands_tell(name.lower(), number, event)
    admins_are_told_once(mailbox, told, name, number)
    page, listed = shown(boss, name)
    assert f"GONE: event {event}" in listed
    assert f"Held (hold {number}), and gone: the site itself deleted it at" in page
    a_release_ends_it(name, number)
    left = RowException.objects.filter(kind="hold").values_list("key", flat=True)
    assert [*left] == [str(other.pk)]
    assert Draft.objects.filter(pk=other.pk).exists()


def shows_a_hold(boss: Client, name: str, number: int) -> None:
    assert "GONE" not in manage("lifecycle", "holds")
    manage("lifecycle", "verify")
    page, listed = shown(boss, name)
    assert page.index(f"HELD (hold {number}) since") < page.index("What each policy means")
    assert ": claim (CASE-9)." in page
    assert "claim" in listed
    assert "CASE-9" in listed


def commands_tell(name: str, number: int, event: int) -> None:
    text = fails("lifecycle", "status", "drafts")
    latest = f"the latest is {name}, hold {number}"
    assert f"1 held row was deleted by the site itself: {latest}" in text
    (found,) = json.loads(fails("lifecycle", "status", "drafts", "--json")[:-1])
    assert found["held_deleted"] == 1
    assert "held row" not in manage("lifecycle", "status", "tickets")

    text = manage("lifecycle", "holds")
    assert f"{name} (GONE)" in text
    assert f"Hold {number}: {name} is gone: the site itself deleted it at" in text
    assert f"by a view (event {event})" in text
    placed = json.loads(manage("lifecycle", "holds", "--json"))
    assert {each["number"]: each["deleted"] for each in placed}.pop(number) == 1
    assert sorted(each["deleted"] for each in placed) == [0, 1]

    text = fails("lifecycle", "verify")
    assert " 3 nothing held: kept" in text  # nothing of this package has ended it
    assert f"held, and not kept by the site: {name}: gone" in text
    assert "1 held row was deleted by the site itself." in text


def admins_are_told_once(mailbox: Mailbox, told: list[Any], name: str, number: int) -> None:  # noqa: F811
    alerts.watch("default")
    alerts.watch("default")
    heard = [(kind, one["count"], one["sender"]) for kind, one in told]
    assert heard == [("held_deleted", 1, Draft)]
    (mail,) = mailbox.mails
    assert mail["Subject"] == "[Django] Held rows of zoo.draft were deleted by the site"
    assert f"The latest: {name}." in mail.get_content()
    assert f"manage.py lifecycle release --number {number} --actor NAME" in mail.get_content()


def a_release_ends_it(name: str, number: int) -> None:
    text = manage("lifecycle", "release", name)
    assert text.startswith("Released 1 hold.")
    assert f"Hold {number}: {name.lower()}: gone: the site itself deleted it" in text
    assert "GONE" not in manage("lifecycle", "holds")
    manage("lifecycle", "status", "drafts")
    manage("lifecycle", "verify")
    assert manage("lifecycle", "why", name).count("hold_released") == 1


def test_a_rebuild_tells_it_again() -> None:
    row = draft()
    hold(row)
    row.delete()
    before = held_deleted("default")
    manage("lifecycle", "rebuild")
    assert held_deleted("default") == before != []


def test_a_key_that_is_deleted_twice_is_one_hold_without_a_row() -> None:
    row, other = draft(), draft()
    hold(row)
    hold(other)
    for _ in range(2):
        Draft.objects.filter(pk=row.pk).delete()
        Draft.objects.create(pk=row.pk, created_at=timezone.now())
    Draft.objects.filter(pk=row.pk).delete()
    assert len(held_deleted("default")) == 3
    (found,) = (each for each in statuses() if each.policy == "drafts")
    assert found.held == 1


def test_a_held_policy_counts_what_went() -> None:
    rows = [draft() for _ in range(3)]
    number = hold("drafts")
    Draft.objects.filter(pk__in=[row.pk for row in rows[:2]]).delete()
    (found,) = held_deleted("default")
    assert (found.key, found.rows, found.name) == ("", 2, "2 rows of zoo.draft")
    assert [each.deleted for each in holds() if each.number == number] == [2]
    assert "policy drafts (2 rows GONE)" in manage("lifecycle", "holds")
    assert "2 held rows were deleted" in fails("lifecycle", "status", "drafts")


def test_only_while_the_hold_is_in_force() -> None:
    passed, lasting = draft(), draft()
    hold(passed, until=database_now() + timedelta(minutes=5))
    hold(lasting, until=database_now() + timedelta(minutes=20))
    let_pass(timedelta(minutes=10))
    lasting_key = str(lasting.pk)
    passed.delete()
    lasting.delete()
    assert [each.key for each in held_deleted("default")] == [lasting_key]
    let_pass(timedelta(minutes=11))
    assert held_deleted("default") == []


def test_a_row_that_was_released_before_is_none() -> None:
    row = draft()
    release(hold(row))
    row.delete()
    assert held_deleted("default") == []
    assert "held" not in Event.objects.latest("pk").detail


def advice() -> list[Any]:
    found = run_checks(tags=["database"], databases=["default"])
    return [each for each in found if "is held" in each.msg or "are held" in each.msg]


@pytest.mark.slow
def test_a_check_advises_to_enforce(monkeypatch: pytest.MonkeyPatch) -> None:
    held = draft()
    hold(held)
    assert advice() == []  # the site has deleted nothing yet
    draft().delete()
    (found,) = advice()
    assert 'holds="enforced"' in str(found.hint)
    monkeypatch.setattr(get_policy("drafts"), "holds", "enforced")
    assert advice() == []
    monkeypatch.undo()
    release(held)
    assert advice() == []


def test_a_release_of_what_is_neither_there_nor_held_is_refused() -> None:
    assert fails("lifecycle", "release", "zoo.Draft:99") == "There is no hold on zoo.Draft:99."
