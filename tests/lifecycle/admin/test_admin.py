"""The admin shows everything and changes nothing."""

from datetime import timedelta

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from demo.models import User
from lifecycle import hold
from lifecycle.admin import readonly
from lifecycle.admin.lists import RowExceptionAdmin
from lifecycle.models import AgendaEntry, Event, PolicyState, RowException
from purge.models import Run
from purge.runner import run_due
from tests.zoo.models import Coupon, Token

pytestmark = pytest.mark.django_db(transaction=True)

SHOWN = (Event, AgendaEntry, RowException, PolicyState, Run)
NASTY = "<script>alert(1)</script>"


def url(model: type, page: str, *arguments: object) -> str:
    return reverse(f"admin:{model._meta.label_lower.replace('.', '_')}_{page}", args=arguments)


@pytest.fixture
def looker() -> Client:
    """An administrator, and a ledger in which each table has something."""
    past = timezone.now() - timedelta(seconds=5)
    Token.objects.bulk_create(Token(expires_at=past) for _ in range(25))
    Coupon.objects.create(code=NASTY, expires_at=past + timedelta(days=1))
    run_due()
    hold(Coupon.objects.get(), reason=NASTY)
    client = Client()
    client.force_login(User.objects.create_superuser("boss"))
    return client


@pytest.mark.parametrize("model", SHOWN)
def test_lists_and_pages(looker: Client, model: type) -> None:
    assert looker.get(url(model, "changelist")).status_code == 200
    for row in model._default_manager.all()[:30]:
        page = looker.get(url(model, "change", row.pk))
        assert page.status_code == 200
        assert NASTY not in page.text


def test_a_long_list_is_counted_so_far(looker: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readonly, "COUNTED", 3)
    monkeypatch.setattr(RowExceptionAdmin, "list_per_page", 2)
    for number in range(6):
        hold(Coupon.objects.get(), reason=f"for {number}")
    assert "more than 3 row exceptions" in looker.get(url(RowException, "changelist")).text
    assert looker.get(url(RowException, "changelist"), {"p": 2}).status_code == 200


@pytest.mark.parametrize("model", SHOWN)
def test_nothing_can_be_changed(looker: Client, model: type) -> None:
    row = model._default_manager.first()
    before = model._default_manager.count()
    assert looker.get(url(model, "add")).status_code == 403
    assert looker.post(url(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert looker.post(url(model, "change", row.pk), {"kind": "purged"}).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": row.pk, "post": "yes"}
    looker.post(url(model, "changelist"), chosen)
    assert model._default_manager.count() == before


@pytest.mark.parametrize("model", SHOWN)
def test_looking_needs_the_permission(model: type) -> None:
    client = Client()
    client.force_login(User.objects.create_user("clerk", is_staff=True))
    assert client.get(url(model, "changelist")).status_code == 403


def test_the_first_subjects_are_named(looker: Client) -> None:
    event = Event.objects.get(kind="purged", count=25)
    page = looker.get(url(Event, "change", event.pk)).text
    assert f"{', '.join(event.subjects[:20])} and 5 more" in page


def test_keys_are_text(looker: Client) -> None:
    event = Event.objects.get(kind="hold_placed")
    assert event.subjects == [NASTY]
    assert "&lt;script&gt;alert(1)" in looker.get(url(Event, "change", event.pk)).text


@pytest.mark.parametrize("model", SHOWN)
@pytest.mark.parametrize("name", ["tokens", "no-such-policy"])
def test_filters(looker: Client, model: type, name: str) -> None:
    if model is PolicyState:
        return
    assert looker.get(url(model, "changelist"), {"policy": name}).status_code == 200


def test_a_policy_that_is_not_in_the_code_is_shown_so(looker: Client) -> None:
    PolicyState.objects.filter(name="tokens").update(fingerprint="other")
    page = looker.get(url(PolicyState, "changelist"), {"all": ""}).text
    stored = PolicyState.objects.count()
    assert page.count("icon-no.svg") == 1
    assert page.count("icon-yes.svg") == stored - 1


def test_every_model_of_the_package_is_there() -> None:
    shown = {model for model in admin.site._registry if model.__module__.split(".")[0] != "django"}
    assert shown >= set(SHOWN)
