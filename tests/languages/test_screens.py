"""German words are longer: no page is wider than a phone, nothing breaks what a browser checks.

With SHOTS, a folder, there is a picture of each.
"""

from typing import Any

import pytest
from django.test import Client

from tests.lifecycle.admin.scene import set_up
from tests.lifecycle.admin.test_admin import looker
from tests.lifecycle.admin.test_browser import looked_at
from tests.lifecycle.admin.visiting import Browsing, Visit

__all__ = ["looker"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
MAIN = ("page-one", "row", "row-hold", "plan", "plan-rows", "request", "ahead", "list-event",
        "one-policystate")  # fmt: skip


def test_the_main_pages_in_german(browser: Browsing, looker: Client, live_server: Any) -> None:
    pages = set_up()

    def look(visit: Visit) -> None:
        for name in MAIN:
            looked_at(visit, f"{name}-de", pages[name], "light")
            assert visit.page.evaluate("document.documentElement.lang") == "de"

    browser.visited(live_server.url, looker, look, language="de")
