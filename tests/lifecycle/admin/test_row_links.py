"""The page of a row: a link to its own page, one reading of the row; refusals are told once."""

from datetime import timedelta

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from demo.models import User
from lifecycle.admin.row_actions import ROW_ACTIONS
from lifecycle.admin.visibility import own_page
from lifecycle.models import Event, RowException
from purge.runner import run_due
from tests.lifecycle.admin.test_admin import SHOWN, url
from tests.lifecycle.admin.test_admin_row import client_of, name, page, press
from tests.zoo.models import Draft

pytestmark = pytest.mark.django_db(transaction=True)
ROW = ("view_event", "view_draft", "restore_row", "hold_row", "release_row")


@pytest.fixture
def boss() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("boss"))
    return client


def test_it_links_to_the_rows_own_page(boss: Client) -> None:
    user = User.objects.create_user("jo")
    address = reverse("admin:demo_user_change", args=[user.pk])
    assert f'<a href="{address}">' in page(boss, name(user))
    assert boss.get(address).status_code == 200
    draft = Draft.objects.create(created_at=timezone.now())
    assert "Its own page" not in page(boss, name(draft))  # no admin shows it


def test_it_links_to_nothing_that_the_user_cannot_open(monkeypatch: pytest.MonkeyPatch) -> None:
    user = User.objects.create_superuser("jo")
    request = RequestFactory().get("/")
    request.user = user
    registered = admin.site.get_model_admin(User)
    assert own_page(request, admin.site, user)
    monkeypatch.setattr(registered, "get_queryset", lambda request: User.objects.none())
    assert own_page(request, admin.site, user) == ""
    monkeypatch.undo()
    monkeypatch.setattr(registered, "has_view_permission", lambda request, row=None: row is None)
    assert own_page(request, admin.site, user) == ""


def readings(client: Client, address: str) -> list[str]:
    """The statements that read the row with its columns, or ask whether it is there."""
    with CaptureQueriesContext(connection) as asked:
        assert client.get(address).status_code == 200
    begins = ('SELECT "zoo_draft"."id", "zoo_draft".', 'SELECT 1 AS "a" FROM "zoo_draft"')
    return [each["sql"] for each in asked if each["sql"].startswith(begins)]


def test_the_row_is_read_once(boss: Client) -> None:
    draft = Draft.objects.create(created_at=timezone.now())
    assert len(readings(boss, f"{reverse('admin:lifecycle_row')}?row={name(draft)}")) == 1
    for action in ROW_ACTIONS:
        address = reverse("admin:lifecycle_row_action", args=[action])
        assert len(readings(boss, f"{address}?row={name(draft)}")) == 1


@pytest.mark.parametrize("asked", ["zoo.Drift:1", "zoo.Draft:x", "auth.Group:1"])
def test_a_refusal_is_told_once(asked: str) -> None:
    client = client_of(*ROW, *(f"view_{model._meta.model_name}" for model in SHOWN))
    for action in ROW_ACTIONS:
        assert press(client, action, asked, reason="x").text.count("Refused: ") == 1
    assert page(client, asked).count("Refused: ") == 1
    for model in SHOWN:
        address = url(model, "changelist")
        assert client.get(address, {"q": asked}).text.count("Refused: ") == 1
    chosen = {"action": "release_exceptions", "_selected_action": ["1"]}
    address = f"{url(RowException, 'changelist')}?q={asked}"
    assert client.post(address, chosen, follow=True).text.count("Refused: ") == 1


@pytest.mark.slow
def test_settled_is_shown_where_it_is_asked_for(boss: Client) -> None:
    Draft.objects.create(created_at=timezone.now() - timedelta(days=2))
    Draft.objects.update(status="done")
    run_due()
    settled = Event.objects.get(kind="settled").pk
    others = set(Event.objects.exclude(kind="settled").values_list("pk", flat=True))
    address = url(Event, "changelist")

    def listed(**asked: str) -> set[int]:
        shown = boss.get(address, asked).context["cl"]
        return set(shown.queryset.values_list("pk", flat=True))

    assert listed() == others
    assert listed(kind="all") == others | {settled}
    assert listed(kind="settled") == {settled}
    assert listed(kind="deleted") == set(
        Event.objects.filter(kind="deleted").values_list("pk", flat=True)
    )
    text = boss.get(address).text
    assert "All but settled" in text
    assert "?kind=settled" in text
