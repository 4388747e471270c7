"""A site's own admin with the mixin: a column, a filter, a panel; few questions."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from demo.models import EmailSuppression, PendingRegistration, User
from lifecycle import hold, restore
from lifecycle.insight.row_states import row_states
from lifecycle.ledger.holds import hold_rows
from lifecycle.policy.registry import policies_of
from purge.runner import run_due
from tests.lifecycle.admin.test_admin import NASTY
from tests.lifecycle.admin.test_admin_row import client_of
from tests.zoo.models import Coupon, Draft, Picture, Preference

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def boss() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("boss"))
    return client


def users(count: int, days: float) -> list[User]:
    """People who have not verified their address for so many days."""
    joined = timezone.now() - timedelta(days=days)
    names = (f"u{User.objects.count()}-{n}" for n in range(count))
    return User.objects.bulk_create(
        User(username=name, email=f"{name}@example.com", date_joined=joined) for name in names
    )


def listed(client: Client, **query: str) -> str:
    return client.get(reverse("admin:demo_user_changelist"), query).text


def names_in(text: str, rows: list[User]) -> list[str]:
    return [row.username for row in rows if f">{row.username}</a>" in text]


class TestStates:
    """What rows are, many at a time."""

    def test_each_state(self) -> None:
        now = timezone.now()
        drafts = Draft.objects.bulk_create(
            Draft(created_at=now - timedelta(hours=hours)) for hours in (1, 30, 30, 30, 30)
        )
        live, stone, held, back, kept = drafts
        other = Draft.objects.create(created_at=now - timedelta(hours=30), status="sent")
        Picture.objects.create(draft=kept)
        hold(held, reason="x")
        restore(back)
        rows = [*drafts, other]
        found = row_states(Draft, [row.pk for row in rows])
        assert [found[row.pk].state for row in rows] == [
            "live", "tombstoned", "held", "restored", "kept", "live",
        ]  # fmt: skip
        assert found[live.pk].until == live.created_at + timedelta(hours=24)
        assert found[stone.pk].ends == {"drafts": stone.created_at + timedelta(hours=24)}
        assert found[other.pk].until is None
        assert row_states(Draft, [0]) == {}

    def test_a_hold_on_the_table_is_on_each(self) -> None:
        Coupon.objects.create(code=NASTY)
        hold("coupons", reason="x")
        assert row_states(Coupon, [NASTY])[NASTY].state == "held"

    def test_an_expression_that_fails_hides_no_row(self) -> None:
        row = Preference.objects.create(created_at=timezone.now(), data={"days": "many"})
        other = Preference.objects.create(created_at=timezone.now(), data={"days": 3})
        hold(other, reason="x")
        found = row_states(Preference, [other.pk])
        assert found[other.pk].state == "held"
        assert row.pk not in found


@pytest.mark.slow
def test_the_list_says_what_each_row_is(boss: Client) -> None:
    old, new = users(2, 400), users(1, 0)
    hold(old[1], reason="x")
    text = listed(boss)
    assert text.count('class="field-lifecycle_state"') == 4
    assert '"field-lifecycle_state">tombstoned</td>' in text
    assert '"field-lifecycle_state">held</td>' in text
    assert "live until" in text
    people = [*old, *new]
    assert names_in(listed(boss, lifecycle="tombstoned"), people) == [old[0].username]
    assert names_in(listed(boss, lifecycle="held"), people) == [old[1].username]
    assert names_in(listed(boss, lifecycle="restored"), people) == []
    assert old[0].username not in names_in(listed(boss, lifecycle="live"), people)
    restore(old[0])
    assert names_in(listed(boss, lifecycle="restored"), people) == [old[0].username]


def test_its_questions_do_not_grow_with_the_rows(boss: Client) -> None:
    def questions() -> int:
        with CaptureQueriesContext(connection) as asked:
            listed(boss)
        return len(asked)

    hold_rows(User.objects.filter(pk__in=[row.pk for row in users(2, 400)]), reason="x")
    few = questions()
    hold_rows(User.objects.filter(pk__in=[row.pk for row in users(40, 400)]), reason="x")
    assert questions() == few


@pytest.mark.slow
def test_the_panel_on_the_page_of_a_row(boss: Client) -> None:
    (person,) = users(1, 0)
    address = reverse("admin:demo_user_change", args=[person.pk])
    text = boss.get(address).text
    assert "This row is <strong>live</strong> until" in text
    assert f"?row=demo.User%3A{person.pk}" in text
    hold(person, reason=NASTY)
    run_due()
    text = boss.get(address).text
    assert "<strong>held</strong>" in text
    assert NASTY not in text
    assert "&lt;script&gt;alert(1)" in text
    assert "lifecycle/admin.css" in text


def test_holds_and_the_story_take_their_permissions() -> None:
    (person,) = users(1, 0)
    hold(person, reason="the reason")
    address = reverse("admin:demo_user_change", args=[person.pk])
    text = client_of("view_user").get(address).text
    assert "<strong>held</strong>" in text
    assert "the reason" not in text
    assert "What happens next" not in text


def test_a_model_without_policies_is_as_before(boss: Client) -> None:
    assert not policies_of(EmailSuppression) or policies_of(PendingRegistration)
    for model in (EmailSuppression, PendingRegistration):
        page = reverse(f"admin:demo_{model._meta.model_name}_changelist")
        shown = 'name="lifecycle"' in boss.get(page).text or "?lifecycle=" in boss.get(page).text
        assert shown == bool(policies_of(model))
