"""The mixin in admins that use more of Django's: lists to edit, odd keys, sites of their own."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.messages.storage.cookie import CookieStorage
from django.db.models import QuerySet
from django.http import HttpRequest
from django.test import RequestFactory
from django.urls import path
from django.utils import timezone

from demo.models import User
from lifecycle import hold
from lifecycle.admin import LifecycleAdminMixin
from lifecycle.insight.row_states import row_states
from tests.zoo.models import Coupon, Draft, Preference

pytestmark = pytest.mark.django_db(transaction=True)

alone = admin.AdminSite(name="alone")
urlpatterns = [path("alone/", alone.urls)]  # a site without the pages of the package


class Page(LifecycleAdminMixin, admin.ModelAdmin):
    """As a site has it."""


class Editable(Page):
    """A list in which one can write."""

    list_display = ("username", "email")
    list_editable = ("email",)


def asked(query: str = "") -> HttpRequest:
    request = RequestFactory().get(f"/{query}")
    request.user = User.objects.create_superuser("boss")
    return request


def panel(model: Any, key: str, query: str = "", site: Any = admin.site) -> Any:
    answer: Any = Page(model, site).change_view(asked(query), key)
    return answer.context_data.get("lifecycle")


def test_a_list_that_can_be_edited() -> None:
    request = asked()
    answer: Any = Editable(User, admin.site).changelist_view(request)
    text = answer.render().text
    assert 'name="form-0-email"' in text
    assert 'class="field-lifecycle_state"' in text


def test_a_key_that_an_address_has_otherwise() -> None:
    for code in ("a/b", "a_2Fb"):
        Coupon.objects.create(code=code)
    hold(Coupon.objects.get(code="a/b"), reason="x")
    assert panel(Coupon, "a_2Fb")["state"].state == "held"


def test_a_site_without_the_pages_of_the_package(settings: Any) -> None:
    settings.ROOT_URLCONF = __name__
    row = Draft.objects.create(created_at=timezone.now())
    shown = panel(Draft, str(row.pk), site=alone)
    assert shown["state"].state == "live"
    assert shown["address"] == ""


def test_a_row_whose_expression_fails_takes_no_list_down() -> None:
    row = Preference.objects.create(created_at=timezone.now(), data={"days": "many"})
    other = Preference.objects.create(created_at=timezone.now(), data={"days": 3})
    hold(other, reason="x")
    found = row_states(Preference, [row.pk, other.pk])
    assert found[other.pk].state == "held"
    assert found[row.pk].state == "unknown"


@pytest.mark.parametrize("state", ["live", "tombstoned", "held"])
def test_a_filter_that_fails_on_a_row_takes_no_page_down(state: str) -> None:
    """Nobody can say which rows pass: none is shown, nor given to an action, and it is said."""
    Preference.objects.create(created_at=timezone.now(), data={"days": "many"})
    hold(Preference.objects.create(created_at=timezone.now(), data={"days": 3}), reason="x")
    request: Any = asked(f"?lifecycle={state}")
    request._messages = CookieStorage(request)
    answer: Any = Page(Preference, admin.site).changelist_view(request)
    assert answer.status_code == 200
    shown = answer.context_data["cl"]
    assert len(shown.result_list) == (1 if state == "held" else 0)
    told = [str(each) for each in request._messages._queued_messages]
    assert told == [] if state == "held" else "SQLSTATE 22" in told[0]
    assert shown.get_queryset(request).count() == len(shown.result_list)


@pytest.mark.parametrize("is_first", [True, False])
def test_of_several_holds_the_one_that_lasts_longest_is_told(is_first: bool) -> None:
    row = Draft.objects.create(created_at=timezone.now())
    soon = timezone.now() + timedelta(days=1)
    for on_row in (is_first, not is_first):
        hold(row if on_row else "drafts", reason="x", until=soon if on_row else None)
    assert row_states(Draft, [row.pk])[row.pk].until is None


class Elsewhere(QuerySet[Any]):
    """Rows that are read from another database, under the same keys."""

    def _fetch_all(self) -> None:
        super()._fetch_all()
        for row in self._result_cache or ():
            row._state.db = "elsewhere"


def test_rows_of_another_database_are_not_taken_for_those_that_policies_are_on() -> None:
    Draft.objects.create(created_at=timezone.now())
    request, page = asked(), Page(Draft, admin.site)

    def said() -> list[str]:
        rows: Any = page.get_changelist_instance(request).result_list
        return [page.lifecycle_state(row)[:4] for row in rows]

    assert said() == ["live"]
    page.get_queryset = lambda request: Elsewhere(Draft)  # type: ignore[method-assign]
    assert said() == ["-"]
