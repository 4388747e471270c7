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
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from tests.places.servers import program

CSP = "default-src 'self'"
AXE = (Path(axe_core_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
# Django's own: its search box has its label as a picture, its dates and times have none.
NOT_OURS = "[['#searchbar'], ['.vDateField'], ['.vTimeField']]"
RUN_AXE = f"() => axe.run({{exclude: {NOT_OURS}}}, {{resultTypes: ['violations']}})"
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

    def focus(self, selector: str) -> None:
        """Press Tab until that has the focus."""
        for _ in range(300):
            if self.page.evaluate("each => document.activeElement.matches(each)", selector):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"{selector!r} cannot be reached by the keyboard")

    def follow(self, selector: str, arrives: str) -> None:
        """Go there by the keyboard, press Enter, and wait for the address, as a pattern."""
        self.focus(selector)
        self.page.keyboard.press("Enter")
        self.page.wait_for_url(arrives)

    def write(self, name: str, text: str) -> None:
        """Into the field of that name; of a choice, what it begins with."""
        self.focus(f"[name={name}]")
        self.page.keyboard.type(text)

    def findings(self) -> list[str]:
        """What axe finds of weight on the page that is open."""
        self.page.evaluate(AXE)
        found = self.page.evaluate(RUN_AXE)["violations"]
        return [
            f"{each['id']}: {each['nodes'][0]['html'][:120]}"
            for each in found
            if each["impact"] in SERIOUS
        ]


class Browsing:
    """One Chromium, with pages for a client's session.

    In a thread of its own, for Playwright has a loop in its thread, in which Django's connections
    are others: `act` asks the browser, not the database.
    """

    def __init__(self) -> None:
        self.pool = ThreadPoolExecutor(1)
        self.play: Playwright | None = None
        self.chromium: Browser | None = None

    def visited(
        self, address: str, client: Client, act: Callable[[Visit], Any], width: int = 1280,
        dark: bool = False, language: str = "en",
    ) -> Any:  # fmt: skip
        """What `act` gives for a page with the session of the client."""
        asked = (address, client, act, width, dark, language)
        return self.pool.submit(self._visited, *asked).result()

    def close(self) -> None:
        """Also where none was begun."""
        self.pool.submit(self._end).result()
        self.pool.shutdown()

    def _begun(self) -> Browser:
        if self.chromium is None:
            self.play = sync_playwright().start()
            path = program("chromium")
            self.chromium = self.play.chromium.launch(executable_path=path, args=OPTIONS)
        return self.chromium

    def _end(self) -> None:
        if self.chromium is not None and self.play is not None:
            self.chromium.close()
            self.play.stop()

    def _visited(
        self, address: str, client: Client, act: Callable[[Visit], Any], width: int, dark: bool,
        language: str,
    ) -> Any:  # fmt: skip
        scheme: Any = "dark" if dark else "light"
        size: Any = {"width": width, "height": 900}
        context = self._begun().new_context(viewport=size, color_scheme=scheme, locale=language)
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
            context.close()


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
