"""The pages that `make docs` lays out: links that lead on, a side bar with every page."""

import json
import os
import re
import subprocess
import sys

import pytest

from tests.infra.servers import ROOT


def asked(expression: str) -> object:
    """What a function of .ci/pages.py gives."""
    script = f"import json, pathlib, pages; print(json.dumps({expression}))"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True,
        env=os.environ | {"PYTHONPATH": str(ROOT / ".ci")},
    )  # fmt: skip
    return json.loads(done.stdout)


def test_every_page_is_in_the_side_bar_once() -> None:
    index = "pathlib.Path('docs/index.md').read_text(encoding='utf-8')"
    found = asked(f"pages.sections({index})")
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
    assert asked(f"pages.moved({text!r}, pages.ROOT / {page!r})") == expected


def test_drawings_are_read_in_both_colours_and_load_nothing() -> None:
    drawings = sorted((ROOT / "docs/pictures").glob("*.svg"))
    assert drawings
    for drawing in drawings:
        text = drawing.read_text(encoding="utf-8")
        assert "prefers-color-scheme" in text, drawing.name
        assert "<title" in text, drawing.name
        assert re.search(r"(?:href|src|url\()\W*(?:https?:)?//", text) is None, drawing.name
        assert len(text) < 120_000, drawing.name
