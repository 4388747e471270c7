"""The pages that `make docs` lays out: links that lead on, a side bar with every page."""

import re

import pytest

from tests.infra.scripts import asked
from tests.infra.servers import ROOT


def test_every_page_is_in_the_side_bar_once() -> None:
    index = "pathlib.Path('docs/index.md').read_text(encoding='utf-8')"
    found = asked("pages", f"pages.sections({index})")
    assert isinstance(found, dict)
    listed = [path for pages in found.values() for _, path, _ in pages]
    every = {path.relative_to(ROOT / "docs").as_posix() for path in ROOT.glob("docs/**/*.md")}
    assert sorted(listed) == sorted(every - {"index.md"})
    assert {"Start", "For officers", "For auditors", "For operators", "For developers"} <= set(
        found
    )


@pytest.mark.parametrize(
    ("page", "text", "expected"),
    [
        ("docs/index.md", "[a](../README.md#use-it)", "[a](project/README.md#use-it)"),
        ("docs/how-to/roles.md", "[a](../limits.md)", "[a](../limits.md)"),
        ("README.md", "![a](docs/pictures/way.svg)", "![a](../pictures/way.svg)"),
        ("README.md", "[a](LICENSE), [b](#here)", "[a](LICENSE), [b](#here)"),
        ("README.md", "[a](https://x.example/y.md)", "[a](https://x.example/y.md)"),
        ("docs/limits.md", '<a id="x-1"></a>\n\n## X', "(x-1)=\n\n## X"),
    ],
)
def test_links_lead_from_where_a_page_lies_now(page: str, text: str, expected: str) -> None:
    assert asked("pages", f"pages.moved({text!r}, pages.ROOT / {page!r})") == expected


def test_drawings_are_read_in_both_colours_and_load_nothing() -> None:
    drawings = sorted((ROOT / "docs/pictures").glob("*.svg"))
    assert drawings
    for drawing in drawings:
        text = drawing.read_text(encoding="utf-8")
        assert "prefers-color-scheme" in text, drawing.name
        assert "<title" in text, drawing.name
        assert re.search(r"(?:href|src|url\()\W*(?:https?:)?//", text) is None, drawing.name
        assert len(text) < 120_000, drawing.name
