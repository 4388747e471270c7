"""A real browser at the site of the tests: Chromium by Playwright, with a Content-Security-Policy.

What breaks the policy, and what a page writes on its console as an error, is noted for each page.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import axe_core_python
from django.conf import settings
from django.test import Client
from playwright.sync_api import Page, sync_playwright

from tests.places.servers import program

CSP = "default-src 'self'"
AXE = (Path(axe_core_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
# Django's own search box has its label as a picture.
RUN_AXE = "() => axe.run({exclude: ['#searchbar']}, {resultTypes: ['violations']})"
OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
SERIOUS = ("serious", "critical")


@dataclass
class Visit:
    """A page of a browser that is logged in, and what was wrong with what it has shown."""

    page: Page
    address: str
    wrong: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        """Go to an address of the site."""
        answer = self.page.goto(self.address + path)
        assert answer is not None
        assert answer.status == 200, (path, answer.status)
        return self.page

    def findings(self) -> list[str]:
        """What axe finds of weight on the page that is open."""
        self.page.evaluate(AXE)
        found = self.page.evaluate(RUN_AXE)["violations"]
        return [
            f"{each['id']}: {each['nodes'][0]['html'][:120]}"
            for each in found
            if each["impact"] in SERIOUS
        ]


def visited(
    address: str, client: Client, act: Callable[[Visit], Any], width: int = 1280, dark: bool = False
) -> Any:
    """What `act` gives for a browser with the session of the client.

    In a thread of its own, for Playwright has a loop in its thread, in which Django's connections
    are others: `act` asks the browser, not the database.
    """
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(_visited, address, client, act, width, dark).result()


def _visited(
    address: str, client: Client, act: Callable[[Visit], Any], width: int, dark: bool
) -> Any:
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=program("chromium"), args=OPTIONS)
        scheme: Any = "dark" if dark else "light"
        size: Any = {"width": width, "height": 900}
        context = browser.new_context(viewport=size, color_scheme=scheme)
        cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
        named: Any = {"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": address}
        context.add_cookies([named])
        context.route("**/*", _with_csp)
        visit = Visit(context.new_page(), address)
        visit.page.on("console", lambda said: _note(visit, said))
        visit.page.on("pageerror", lambda error: visit.wrong.append(str(error)))
        try:
            return act(visit)
        finally:
            browser.close()


def _with_csp(route: Any) -> None:
    """Whatever the site answers, with the header of a strict one."""
    if route.request.resource_type != "document":
        route.continue_()
        return
    answer = route.fetch(max_redirects=0)
    route.fulfill(response=answer, headers=answer.headers | {"content-security-policy": CSP})


def _note(visit: Visit, said: Any) -> None:
    if said.type == "error" and not said.location["url"].endswith("/favicon.ico"):
        visit.wrong.append(said.text)
