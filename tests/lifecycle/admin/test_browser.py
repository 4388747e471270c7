"""The pages of docs/how-to/work-in-the-admin.md in a browser, as a strict site has it.

By keyboard, light, dark and on a phone.
Nothing of ours breaks `default-src 'self'`, nothing is written on the console, axe finds nothing
serious, and nothing stands beside the screen.
"""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from lifecycle import release
from lifecycle.ledger.row_names import named
from lifecycle.models import Event
from tests.lifecycle.admin.test_admin import SHOWN, looker, url
from tests.lifecycle.admin.test_admin_row import client_of
from tests.lifecycle.admin.test_phone import filled
from tests.lifecycle.admin.visiting import Visit, visited
from tests.zoo.models import Draft

__all__ = ["looker"]
pytestmark = pytest.mark.django_db(transaction=True)
PHONE, DESK = 390, 1280


def pages(draft: Draft) -> list[str]:
    """The pages that are ours, and one of each kind that Django makes."""
    row = reverse("admin:lifecycle_row")
    found = ["/admin/lifecycle/", row, f"{row}?row={named(draft)}"]
    found += [f"{reverse('admin:lifecycle_row_action', args=['hold'])}?row={named(draft)}"]
    found += [url(model, "changelist") for model in SHOWN]
    return [*found, url(Event, "change", Event.objects.latest("pk").pk)]


@pytest.mark.parametrize("dark", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_every_page(looker: Client, live_server: Any, dark: bool) -> None:
    paths = pages(filled())
    ours = paths[:4]

    def look(visit: Visit) -> None:
        for path in paths:
            page = visit.open(path)
            if path in ours:
                assert visit.findings() == [], path
            page.set_viewport_size({"width": PHONE, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") == PHONE, path
            page.set_viewport_size({"width": DESK, "height": 900})
        assert visit.wrong == []

    visited(live_server.url, looker, look, dark=dark)


def test_what_breaks_the_policy_is_seen(looker: Client, live_server: Any) -> None:
    """The test of the tests: a page with a style of its own, an unlabelled field."""

    def spoil(visit: Visit) -> None:
        page = visit.open("/admin/lifecycle/")
        page.evaluate("document.body.innerHTML += '<p style=\"color:red\">x</p><input>'")
        assert "Content Security Policy" in visit.wrong[0]
        assert any(each.startswith("label") for each in visit.findings())

    visited(live_server.url, looker, spoil)


def focused(visit: Visit) -> str:
    return str(visit.page.evaluate("document.activeElement.innerText.trim()"))


def walk(visit: Visit, text: str) -> None:
    """Press Tab until what has the focus says so."""
    for _ in range(200):
        visit.page.keyboard.press("Tab")
        if focused(visit) == text:
            return
    raise AssertionError(f"{text!r} cannot be reached by the keyboard")


@pytest.mark.slow
def test_an_operator_by_keyboard_alone(looker: Client, live_server: Any) -> None:
    """From the index of the admin to a policy, back, and to the holds."""

    def go(visit: Visit) -> None:
        page = visit.open("/admin/")
        walk(visit, "LIFECYCLE")
        page.keyboard.press("Enter")
        page.wait_for_url("**/admin/lifecycle/")
        walk(visit, "coupons")
        page.keyboard.press("Enter")
        page.wait_for_url("**/policystate/coupons/change/")
        page.go_back()
        walk(visit, "By whom and why")
        page.keyboard.press("Enter")
        page.wait_for_url("**/rowexception/?kind__exact=hold")
        assert visit.wrong == []

    visited(live_server.url, looker, go)


@pytest.mark.slow
def test_an_officer_by_keyboard_alone(live_server: Any) -> None:
    """Holds a row, sees it held in its life, releases it; to restore takes another permission."""
    draft = filled()
    release(draft)
    officer = client_of("view_event", "view_draft", "hold_row", "release_row", name="officer")

    def go(visit: Visit) -> None:
        page = visit.open(reverse("admin:lifecycle_row"))
        to(visit, "#row")
        page.keyboard.type(named(draft))
        page.keyboard.press("Enter")
        page.wait_for_selector("text=What each policy means for it now")
        assert page.locator("input[value=Restore]").is_disabled()
        to(visit, "input[value=Hold]")
        page.keyboard.press("Enter")
        page.wait_for_url("**/row/hold/**")
        to(visit, "input[name=reason]")
        page.keyboard.type("a request by letter")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=HELD (hold")
        assert page.locator(".lc-span-held").count() >= 1
        to(visit, "input[value=Release]")
        page.keyboard.press("Enter")
        page.wait_for_url("**/row/release/**")
        to(visit, "input[value=Release]")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=Released:")
        assert visit.wrong == []

    visited(live_server.url, officer, go)
    placed = Event.objects.filter(kind="hold_placed").latest("pk")
    assert (placed.actor, placed.detail["reason"]) == ("officer", "a request by letter")
    assert Event.objects.filter(kind="hold_released", actor="officer").exists()


def to(visit: Visit, selector: str) -> None:
    """Press Tab until that has the focus."""
    for _ in range(200):
        if visit.page.evaluate(f"document.activeElement.matches('{selector}')"):
            return
        visit.page.keyboard.press("Tab")
    raise AssertionError(f"{selector!r} cannot be reached by the keyboard")
