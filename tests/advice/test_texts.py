"""Every command that the package advises can be typed as it stands, and every page be opened."""

import ast
import re
from pathlib import Path

import pytest
from django.core.management import CommandError

from lifecycle.pages import page
from tests.advice.collecting import commands_in, parse, strays_in, texts
from tests.infra.servers import ROOT

TEXTS = list(texts())
ADVISED = sorted({(place, command) for place, text in TEXTS for command in commands_in(text)})
DOCS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def refused(command: str) -> str:
    try:
        parse(command)
    except (CommandError, KeyError, SystemExit, ValueError) as error:
        return f"{command}: {error!r}"
    return ""


@pytest.mark.slow
def test_every_command_that_is_advised_can_be_typed() -> None:
    assert len(ADVISED) > 30
    wrong = [(place, why) for place, command in ADVISED if (why := refused(command))]
    assert wrong == []


def test_no_command_is_advised_in_another_form() -> None:
    found = [(place, strays_in(text)) for place, text in TEXTS]
    assert [(place, strays) for place, strays in found if strays] == []


@pytest.mark.parametrize(
    "text",
    ["see `lifecycle status`", "Run archive verify.", "say manage.py migrate", "run migrate"],
)
def test_another_form_is_found(text: str) -> None:
    assert strays_in(text)


@pytest.mark.parametrize("command", ["lifecycle why", "purge --frob", "lifecycle frob", "nothing"])
def test_a_command_that_cannot_be_typed_is_found(command: str) -> None:
    assert refused(command)


def pages_named() -> list[tuple[str, str]]:
    """The pages that modules name, by `page(...)` or a constant `DOCS`."""
    found = []
    for path in [*ROOT.glob("lifecycle/**/*.py"), *ROOT.glob("purge/**/*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                for name in re.findall(r"[\w./-]+\.md\b", node.value):
                    found.append((str(path.relative_to(ROOT)), name))
    return found


@pytest.mark.slow
def test_every_page_that_is_named_is_in_the_wheel() -> None:
    named = pages_named()
    assert len(named) > 4
    missing = [
        each for each in named if not (ROOT / "docs" / each[1].removeprefix("docs/")).is_file()
    ]
    assert missing == []
    assert Path(page("reference/checks.md")).is_file()


def test_no_text_names_a_page_but_by_where_it_is() -> None:
    """`docs/...` is no folder of the reader's: `lifecycle.pages.page` says where a page is."""
    assert [(place, text) for place, text in TEXTS if re.search(r"\bdocs/\S+\.md", text)] == []
