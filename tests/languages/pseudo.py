"""A language in which every text of a catalogue stands in brackets: what stands outside is not
marked for translation, or is data.
"""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from django.utils import translation

OPEN, CLOSE = "⟦", "⟧"
SILENT = ("script", "style", "code", "pre-code")  # what people type is the same in each language
SPOKEN = ("title", "aria-label", "placeholder", "alt", "data-filter-title")
BUTTONS = ("submit", "button", "reset")
WORD = re.compile(r"[^\W\d_]{2,}(?:[ -]?[^\W\d_]+)*")


def bracket(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is translated from now on comes in brackets, whichever language is active."""
    functions: dict[str, Any] = {
        "gettext": lambda text: wrapped(text),
        "pgettext": lambda context, text: wrapped(text),
        "ngettext": lambda one, many, count: wrapped(one if count == 1 else many),
        "npgettext": lambda context, one, many, count: wrapped(one if count == 1 else many),
    }
    for name, function in functions.items():
        monkeypatch.setattr(translation._trans, name, function)  # type: ignore[attr-defined]


def wrapped(text: Any) -> str:
    return f"{OPEN}{text}{CLOSE}" if text else ""


class Said(HTMLParser):
    """All that a page says to people: its text in order, and each attribute that is read out."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.attributes: list[str] = []
        self.silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.silent += tag in SILENT
        given = {name: value or "" for name, value in attrs}
        self.attributes += [given[name] for name in SPOKEN if given.get(name)]
        if tag == "input" and given.get("type") in BUTTONS:
            self.attributes.append(given.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        self.silent -= tag in SILENT

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.texts.append(data)


def outside(texts: list[str]) -> Iterator[str]:
    """The pieces that stand in no brackets; these may begin in one text and end in a later one."""
    depth = 0
    for text in texts:
        bare = ""
        for letter in text:
            depth += letter == OPEN
            bare += letter if not depth else ""
            depth -= letter == CLOSE
        yield bare.strip()
    assert depth == 0, "a bracket is left open"


def unmarked(page: str, data: re.Pattern[str]) -> set[str]:
    """Words that stand in no brackets and are no data."""
    said = Said()
    said.feed(page)
    pieces = [*outside(said.texts), *(each for text in said.attributes for each in outside([text]))]
    return {
        left for piece in pieces if (left := data.sub(" ", piece).strip()) and WORD.search(left)
    }
