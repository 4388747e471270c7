"""The pages of docs/how-to/work-in-the-admin.md in a browser: light, dark and on a phone.

As a strict site has them.

Nothing of ours breaks `default-src 'self'`, nothing is written on the console, axe finds nothing
serious, and nothing stands beside the screen. With SHOTS, a folder, there is a picture of each.
"""

import os
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.lifecycle.admin.scene import own, set_up
from tests.lifecycle.admin.test_admin import looker
from tests.lifecycle.admin.test_phone import filled
from tests.lifecycle.admin.visiting import Browsing, Visit

__all__ = ["looker"]
pytestmark = pytest.mark.django_db(transaction=True)
PHONE, DESK = 390, 1280
SHOTS = os.environ.get("SHOTS", "")


def looked_at(visit: Visit, name: str, path: str, scheme: str) -> None:
    page = visit.open(path)
    picture(visit, f"{name}-{scheme}")
    assert visit.findings() == [], name
    page.set_viewport_size({"width": PHONE, "height": 900})
    picture(visit, f"{name}-{scheme}-phone")
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE, name
    page.set_viewport_size({"width": DESK, "height": 900})
    assert visit.wrong == [], name


def picture(visit: Visit, name: str) -> None:
    if SHOTS:
        visit.page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)


def test_a_few_pages(browser: Browsing, looker: Client, live_server: Any) -> None:
    found = own(filled())
    new = f"{reverse('admin:purge_plan_add')}?model=zoo.Token&act=extend"
    pages = {"page-one": found["page-one"], "plan-rows": new}

    def look(visit: Visit) -> None:
        for name, path in pages.items():
            looked_at(visit, name, path, "light")

    browser.visited(live_server.url, looker, look)


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page(browser: Browsing, looker: Client, live_server: Any, scheme: str) -> None:
    pages, wrong = set_up(), []

    def look(visit: Visit) -> None:
        for name, path in pages.items():
            try:
                looked_at(visit, name, path, scheme)
            except AssertionError as error:
                wrong.append(f"{name}: {error}")
                visit.wrong.clear()

    browser.visited(live_server.url, looker, look, dark=scheme == "dark")
    assert wrong == []


@pytest.mark.slow
def test_what_breaks_the_policy_is_seen(
    browser: Browsing, looker: Client, live_server: Any
) -> None:
    """The test of the tests: a page with a style of its own, an unlabelled field."""

    def spoil(visit: Visit) -> None:
        page = visit.open("/admin/lifecycle/")
        page.evaluate("document.body.innerHTML += '<p style=\"color:red\">x</p><input>'")
        assert "Content Security Policy" in visit.wrong[0]
        assert any(each.startswith("label") for each in visit.findings())

    browser.visited(live_server.url, looker, spoil)
